CREATE TABLE purchasein_query (
  id varchar(64) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin NOT NULL PRIMARY KEY,
  io_id bigint, ts bigint, warehouse varchar(64), po_id bigint, supplier_id bigint,
  supplier_name varchar(128), modified datetime, so_id varchar(64), out_io_id bigint,
  status varchar(32), io_date datetime, wh_id bigint, wms_co_id bigint, remark varchar(512),
  tax_rate decimal(10,4), labels varchar(255), archived tinyint, merge_so_id varchar(255),
  type varchar(32), creator_name varchar(64), f_status varchar(32), l_id varchar(64),
  items_ioi_id bigint, items_sku_id varchar(64), items_i_id varchar(64), items_unit varchar(32),
  items_name varchar(255), items_qty int, items_cost_price decimal(18,4),
  items_cost_amount decimal(18,4),
  KEY k_io (io_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4

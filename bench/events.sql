CREATE TABLE events (
  id bigint NOT NULL PRIMARY KEY,
  category varchar(32),
  value decimal(12,2),
  ts datetime
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4

// Loads flat JSON rows from a Kafka topic into one table: batches of 1,000 rows, one multi-row upsert each,
// offsets committed after the database. While one batch is being written the next one is fetched and decoded.
package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"
	"github.com/twmb/franz-go/pkg/kgo"
)

const batchRows = 1000

// row keeps numbers as the digits that came.
type row struct {
	ID          *string      `json:"id"`
	IoID        *json.Number `json:"io_id"`
	Ts          *json.Number `json:"ts"`
	Warehouse   *string      `json:"warehouse"`
	PoID        *json.Number `json:"po_id"`
	SupplierID  *json.Number `json:"supplier_id"`
	Supplier    *string      `json:"supplier_name"`
	Modified    *string      `json:"modified"`
	SoID        *string      `json:"so_id"`
	OutIoID     *string      `json:"out_io_id"`
	Status      *string      `json:"status"`
	IoDate      *string      `json:"io_date"`
	WhID        *string      `json:"wh_id"`
	WmsCoID     *json.Number `json:"wms_co_id"`
	Remark      *string      `json:"remark"`
	TaxRate     *json.Number `json:"tax_rate"`
	Labels      *string      `json:"labels"`
	Archived    *string      `json:"archived"`
	MergeSoID   *string      `json:"merge_so_id"`
	Type        *string      `json:"type"`
	CreatorName *string      `json:"creator_name"`
	FStatus     *string      `json:"f_status"`
	LID         *string      `json:"l_id"`
	ItemsIoiID  *json.Number `json:"items_ioi_id"`
	ItemsSkuID  *string      `json:"items_sku_id"`
	ItemsIID    *string      `json:"items_i_id"`
	ItemsUnit   *string      `json:"items_unit"`
	ItemsName   *string      `json:"items_name"`
	ItemsQty    *json.Number `json:"items_qty"`
	ItemsPrice  *json.Number `json:"items_cost_price"`
	ItemsAmount *json.Number `json:"items_cost_amount"`
}

var columns = strings.Split("id,io_id,ts,warehouse,po_id,supplier_id,supplier_name,modified,so_id,out_io_id,status,"+
	"io_date,wh_id,wms_co_id,remark,tax_rate,labels,archived,merge_so_id,type,creator_name,f_status,l_id,items_ioi_id,"+
	"items_sku_id,items_i_id,items_unit,items_name,items_qty,items_cost_price,items_cost_amount", ",")

func (r *row) appendTo(args []any) []any {
	return append(args, textOrNil(r.ID), digits(r.IoID), digits(r.Ts), textOrNil(r.Warehouse), digits(r.PoID),
		digits(r.SupplierID), textOrNil(r.Supplier), textOrNil(r.Modified), textOrNil(r.SoID), textOrNil(r.OutIoID),
		textOrNil(r.Status), textOrNil(r.IoDate), textOrNil(r.WhID), digits(r.WmsCoID), textOrNil(r.Remark),
		digits(r.TaxRate), textOrNil(r.Labels), textOrNil(r.Archived), textOrNil(r.MergeSoID), textOrNil(r.Type),
		textOrNil(r.CreatorName), textOrNil(r.FStatus), textOrNil(r.LID), digits(r.ItemsIoiID),
		textOrNil(r.ItemsSkuID), textOrNil(r.ItemsIID), textOrNil(r.ItemsUnit), textOrNil(r.ItemsName),
		digits(r.ItemsQty), digits(r.ItemsPrice), digits(r.ItemsAmount))
}

func textOrNil(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

func digits(n *json.Number) any {
	if n == nil {
		return nil
	}
	return string(*n)
}

func upsert(table string, rows int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + ")"
	updates := make([]string, 0, len(columns))
	for _, name := range columns[1:] {
		updates = append(updates, name+"=VALUES("+name+")")
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES %s ON DUPLICATE KEY UPDATE %s", table, strings.Join(columns, ","),
		strings.TrimSuffix(strings.Repeat(one+",", rows), ","), strings.Join(updates, ","))
}

type batch struct {
	records []*kgo.Record
	args    []any
}

// decode leaves out what is not a row, and says so.
func decode(records []*kgo.Record) batch {
	b := batch{records: records, args: make([]any, 0, len(records)*len(columns))}
	for _, record := range records {
		var r row
		if err := json.Unmarshal(record.Value, &r); err != nil {
			log.Printf("%s/%d@%d skipped: %v", record.Topic, record.Partition, record.Offset, err)
			continue
		}
		b.args = r.appendTo(b.args)
	}
	return b
}

type loader struct {
	client *kgo.Client
	db     *sql.DB
	table  string
	full   string
}

func (l *loader) write(ctx context.Context, b batch) error {
	rows := len(b.args) / len(columns)
	if rows == 0 {
		return nil
	}
	statement := l.full
	if rows != batchRows {
		statement = upsert(l.table, rows)
	}
	for wait := time.Second; ; {
		_, err := l.db.ExecContext(ctx, statement, b.args...)
		if err == nil || ctx.Err() != nil {
			return err
		}
		log.Printf("batch of %d rows: %v; again in %v", rows, err, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		if wait *= 2; wait > 30*time.Second {
			wait = 30 * time.Second
		}
	}
}

// consume fetches and decodes while store writes.
func (l *loader) consume(ctx context.Context, out chan<- batch) {
	defer close(out)
	for {
		fetches := l.client.PollRecords(ctx, batchRows)
		if ctx.Err() != nil {
			return
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			log.Printf("fetch of %s/%d: %v", topic, partition, err)
		})
		if records := fetches.Records(); len(records) > 0 {
			select {
			case out <- decode(records):
			case <-ctx.Done():
				return
			}
		}
		l.client.AllowRebalance()
	}
}

func (l *loader) store(ctx context.Context, in <-chan batch) error {
	for b := range in {
		if err := l.write(ctx, b); err != nil {
			return err
		}
		if err := l.client.CommitRecords(ctx, b.records...); err != nil && ctx.Err() == nil {
			log.Printf("commit: %v", err)
		}
	}
	return nil
}

func open() (*loader, error) {
	config := mysql.NewConfig()
	config.Net = "tcp"
	config.Addr = os.Getenv("MYSQL_HOST") + ":" + os.Getenv("MYSQL_PORT")
	config.User = os.Getenv("MYSQL_USER")
	config.Passwd = os.Getenv("MYSQL_PASSWORD")
	config.DBName = os.Getenv("MYSQL_DB")
	config.InterpolateParams = true // one round trip instead of prepare and execute
	config.Collation = "utf8mb4_general_ci"
	db, err := sql.Open("mysql", config.FormatDSN())
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")),
		kgo.ConsumerGroup(os.Getenv("GROUP")),
		kgo.ConsumeTopics(os.Getenv("TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
	)
	if err != nil {
		return nil, err
	}
	table := os.Getenv("MYSQL_TABLE")
	return &loader{client: client, db: db, table: table, full: upsert(table, batchRows)}, nil
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	l, err := open()
	if err != nil {
		log.Fatal(err)
	}
	defer l.client.CloseAllowingRebalance()
	batches := make(chan batch, 1)
	go l.consume(ctx, batches)
	if err := l.store(ctx, batches); err != nil && !errors.Is(err, context.Canceled) {
		log.Fatal(err)
	}
}

// Turns the API's pages into flat rows: one message a line of a document, its header fields repeated, the line's
// own fields with the prefix items_. Offsets are committed after the rows are acknowledged.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log"
	"os"
	"os/signal"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
)

const pagesAtOnce = 64

type page struct {
	Data struct {
		Documents []map[string]json.RawMessage `json:"datas"`
	} `json:"data"`
}

type transformer struct {
	client *kgo.Client
	ctx    context.Context
}

// members appends `,"prefix+name":value` for each, the values as the text that came.
func members(out []byte, prefix string, fields map[string]json.RawMessage) []byte {
	for name, value := range fields {
		quoted, _ := json.Marshal(prefix + name) // a string cannot fail
		out = append(append(append(append(out, ','), quoted...), ':'), value...)
	}
	return out
}

// rows calls publish for each line; what all lines share is written once.
func rows(document map[string]json.RawMessage, publish func(key, value []byte)) error {
	var lines []map[string]json.RawMessage
	if err := json.Unmarshal(document["items"], &lines); err != nil {
		return err
	}
	delete(document, "items")
	key := bytes.Trim(document["io_id"], `"`)
	shared := members(nil, "", document)
	for _, line := range lines {
		row := make([]byte, 0, len(shared)+512)
		row = append(row, `{"id":"`...)
		row = append(append(append(row, key...), '-'), bytes.Trim(line["ioi_id"], `"`)...)
		row = append(append(row, '"'), shared...)
		publish(key, append(members(row, "items_", line), '}'))
	}
	return nil
}

func (t *transformer) transform(record *kgo.Record) error {
	var p page
	if err := json.Unmarshal(record.Value, &p); err != nil {
		return err
	}
	for _, document := range p.Data.Documents {
		err := rows(document, func(key, value []byte) {
			t.client.Produce(t.ctx, &kgo.Record{Key: key, Value: value}, func(_ *kgo.Record, err error) {
				if err != nil && t.ctx.Err() == nil {
					log.Fatal(err)
				}
			})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *transformer) run() {
	for {
		fetches := t.client.PollRecords(t.ctx, pagesAtOnce)
		if t.ctx.Err() != nil {
			return
		}
		fetches.EachError(func(topic string, partition int32, err error) {
			log.Printf("fetch of %s/%d: %v", topic, partition, err)
		})
		records := fetches.Records()
		for _, record := range records {
			if err := t.transform(record); err != nil {
				log.Printf("%s/%d@%d skipped: %v", record.Topic, record.Partition, record.Offset, err)
			}
		}
		if len(records) > 0 {
			if err := t.client.Flush(t.ctx); err != nil {
				return
			}
			if err := t.client.CommitRecords(t.ctx, records...); err != nil && t.ctx.Err() == nil {
				log.Printf("commit: %v", err)
			}
		}
		t.client.AllowRebalance()
	}
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	client, err := kgo.NewClient(
		kgo.SeedBrokers(os.Getenv("BOOTSTRAP")),
		kgo.ConsumerGroup(os.Getenv("GROUP")),
		kgo.ConsumeTopics(os.Getenv("TOPIC")),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.DefaultProduceTopic(os.Getenv("OUT_TOPIC")),
		kgo.ProducerBatchCompression(kgo.Lz4Compression()),
	)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseAllowingRebalance()
	(&transformer{client: client, ctx: ctx}).run()
}

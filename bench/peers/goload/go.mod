module goload

go 1.19

require (
	github.com/go-sql-driver/mysql v1.8.1
	github.com/twmb/franz-go v1.16.1
)

require (
	filippo.io/edwards25519 v1.1.0 // indirect
	github.com/klauspost/compress v1.17.4 // indirect
	github.com/pierrec/lz4/v4 v4.1.19 // indirect
	github.com/twmb/franz-go/pkg/kmsg v1.7.0 // indirect
)

// The table of workloads: one line each.
#include "tools/bench/workloads.h"

namespace sluice::tools {

const std::vector<Workload>& Workloads() {
  static const std::vector<Workload> workloads{
      {"single", "1", "one record in flight, durable: latency", BenchSingle},
      {"many", "2", "64 connections, one record in flight each, durable", BenchMany},
      {"pipelined", "3", "64 connections, 16 records in flight each, durable", BenchPipelined},
      {"batches", "4", "64 KiB batches, 32 in flight, durable", BenchBatches},
      {"sustained", "5 6", "64 KiB batches over 64 shards for a minute, durable, on fresh and on recycled segments",
       BenchSustained},
      {"written", "7", "64 connections, and 64 KiB batches, acknowledged when written", BenchWritten},
      {"kinesis-put", "8 9 10 29", "Kinesis PutRecords of 500 records, durable; with signatures verified; encrypted",
       BenchKinesisPut},
      {"kinesis-put-record", "11", "Kinesis PutRecord on 64 connections and on one, durable", BenchKinesisPutRecord},
      {"kinesis-get", "12", "Kinesis GetRecords of what is in memory, 4 connections", BenchKinesisGet},
      {"kinesis-subscribe", "25 26", "Kinesis enhanced fan-out over HTTP/2 and HTTP/1.1: throughput and delay",
       BenchKinesisSubscribe},
      {"tail", "13", "one consumer reads what is in memory", BenchTailRead},
      {"cold", "14", "one consumer reads 2 GiB that are only on disk", BenchColdReplay},
      {"end-to-end", "15", "one record from a producer to a consumer that waits for it", BenchEndToEnd},
      {"retention", "16", "append latency at 50 MB/s while retention frees segments", BenchRetention},
      {"replay", "17", "restart after kill -9 with a long journal", BenchReplay},
      {"restart", "18", "restart with 1,000 shards, clean and after kill -9", BenchRestart},
      {"shards", "19", "50,000 shards: time to create one, memory of one", BenchShards},
      {"connections", "20", "memory of an idle connection, 10,000 of them on each port", BenchConnections},
      {"parquet", "21", "JSON records to Parquet on one core, snappy and zstd-1; no broker", BenchParquet},
      {"gzip", "22", "JSON records to gzip on one core; no broker", BenchGzip},
      {"lake", "27", "records to Parquet in a local lake, from the log and from the put", BenchLake},
      {"beside-lake", "28", "durable puts while another stream is delivered at full speed", BenchBesideLake},
      {"memory", "23", "memory of the broker, idle and under 1 GB/s", BenchMemory},
      {"steady", "24", "50,000 records a second at fixed arrival times, durable: latency", BenchSteady},
  };
  return workloads;
}

}  // namespace sluice::tools

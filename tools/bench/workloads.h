// The functions behind the table of workloads.cc.
#pragma once

#include <vector>

#include "tools/bench/bench.h"

namespace sluice::tools {

Result<std::vector<Figure>> BenchSingle(const BenchOptions& options);
Result<std::vector<Figure>> BenchMany(const BenchOptions& options);
Result<std::vector<Figure>> BenchPipelined(const BenchOptions& options);
Result<std::vector<Figure>> BenchBatches(const BenchOptions& options);
Result<std::vector<Figure>> BenchWritten(const BenchOptions& options);
Result<std::vector<Figure>> BenchSteady(const BenchOptions& options);
Result<std::vector<Figure>> BenchSustained(const BenchOptions& options);
Result<std::vector<Figure>> BenchRetention(const BenchOptions& options);
Result<std::vector<Figure>> BenchKinesisPut(const BenchOptions& options);
Result<std::vector<Figure>> BenchKinesisPutRecord(const BenchOptions& options);
Result<std::vector<Figure>> BenchKinesisGet(const BenchOptions& options);
Result<std::vector<Figure>> BenchKinesisSubscribe(const BenchOptions& options);
Result<std::vector<Figure>> BenchTailRead(const BenchOptions& options);
Result<std::vector<Figure>> BenchColdReplay(const BenchOptions& options);
Result<std::vector<Figure>> BenchEndToEnd(const BenchOptions& options);
Result<std::vector<Figure>> BenchReplay(const BenchOptions& options);
Result<std::vector<Figure>> BenchRestart(const BenchOptions& options);
Result<std::vector<Figure>> BenchShards(const BenchOptions& options);
Result<std::vector<Figure>> BenchConnections(const BenchOptions& options);
Result<std::vector<Figure>> BenchParquet(const BenchOptions& options);
Result<std::vector<Figure>> BenchGzip(const BenchOptions& options);
Result<std::vector<Figure>> BenchLake(const BenchOptions& options);
Result<std::vector<Figure>> BenchBesideLake(const BenchOptions& options);
Result<std::vector<Figure>> BenchMemory(const BenchOptions& options);

}  // namespace sluice::tools

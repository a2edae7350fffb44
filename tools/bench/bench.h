// `sluice bench`: named workloads against a real `sluice serve`, each beside its bound measured in the same run.
//
// A workload is one entry in the table of workloads.cc and one function; it starts its own broker on an empty
// directory, so that workloads do not feel each other. Threads: the main thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sluice/status.h"

namespace sluice::tools {

struct BenchOptions {
  std::string dir;      // on the disk to measure; a directory per workload is made below it and removed
  std::string program;  // the sluice binary to serve with
  double seconds = 3;   // per measurement
  int rounds = 3;       // ours and the bound take turns; the median is reported
  bool json = false;
  std::uint16_t kinesis_port = 0;  // not 0: of a Kinesis server that runs already, for RunPeerBench
};

enum class Better { kHigher, kLower };

/// One figure of one row of docs/performance.md.
struct Figure {
  int row = 0;
  std::string name{};  // "durable, 64 connections"
  std::string unit{};  // "rec/s", "us", "MB/s", ...
  Better better = Better::kHigher;
  double value = 0;
  std::optional<double> bound{};  // measured in the same run; without it goal and floor are absolute
  double goal = 0;  // with a bound: ratio (value / bound, or bound / value where lower is better); 0: none
  double floor = 0;
  std::string note{};  // percentiles, settings

  double Achieved() const;  // the ratio, or the value
  bool Reaches(double target) const;
};

struct Workload {
  std::string_view name;
  std::string_view rows;
  std::string_view description;
  Result<std::vector<Figure>> (*run)(const BenchOptions&);
};

const std::vector<Workload>& Workloads();

/// Runs the named workloads (all where none is named) and prints the table; false where a figure is below its floor.
Result<bool> RunBench(const std::vector<std::string>& names, const BenchOptions& options);

/// Writes the JSON lines of rows 21 and 22 into a file, for others to convert. kIoError.
Status WriteBenchLines(const std::string& path);

/// The loads of Kinesis' rows on the server at options.kinesis_port, printed one line each.
Status RunPeerBench(const BenchOptions& options);

}  // namespace sluice::tools

// Runs workloads and prints one line a figure.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "protocol/suggest.h"
#include "tools/bench/bench.h"
#include "tools/bench/kinesis_peer.h"
#include "tools/sluice/progress.h"

namespace sluice::tools {

double Figure::Achieved() const {
  if (!bound) return value;
  if (better == Better::kHigher) return *bound > 0 ? value / *bound : 0;
  return value > 0 ? *bound / value : 0;
}

bool Figure::Reaches(double target) const {
  if (bound || better == Better::kHigher) return Achieved() >= target;
  return value <= target;
}

namespace {

std::string Number(double value) {
  if (value >= 100'000) return fmt::format("{:.0f}k", value / 1000);
  if (value >= 100) return fmt::format("{:.0f}", value);
  return fmt::format("{:.2f}", value);
}

void PrintHead() {
  fmt::print("{:>3}  {:<44} {:>9} {:>9} {:<6} {:>6} {:>6} {:>6}  {:<11} {}\n", "ROW", "FIGURE", "OURS", "BOUND", "UNIT",
             "RATIO", "GOAL", "FLOOR", "VERDICT", "NOTE");
}

void PrintFigure(const Figure& figure) {
  const bool has_goal = figure.goal > 0;
  const char* verdict = !has_goal                      ? "-"
                        : figure.Reaches(figure.goal)  ? "goal"
                        : figure.Reaches(figure.floor) ? "floor"
                                                       : "BELOW FLOOR";
  fmt::print("{:>3}  {:<44} {:>9} {:>9} {:<6} {:>6} {:>6} {:>6}  {:<11} {}\n", figure.row, figure.name,
             Number(figure.value), figure.bound ? Number(*figure.bound) : "-", figure.unit,
             figure.bound ? fmt::format("{:.2f}", figure.Achieved()) : "-", has_goal ? Number(figure.goal) : "-",
             has_goal ? Number(figure.floor) : "-", verdict, figure.note);
  std::fflush(stdout);
}

boost::json::object ToJson(const Figure& figure) {
  boost::json::object json{{"row", figure.row},
                           {"name", figure.name},
                           {"unit", figure.unit},
                           {"value", figure.value},
                           {"goal", figure.goal},
                           {"floor", figure.floor},
                           {"reaches_floor", figure.Reaches(figure.floor)},
                           {"note", figure.note}};
  json["bound"] = figure.bound ? boost::json::value(*figure.bound) : nullptr;
  return json;
}

Result<std::vector<const Workload*>> Select(const std::vector<std::string>& names) {
  std::vector<const Workload*> selected;
  std::vector<std::string> known;
  for (const Workload& workload : Workloads()) {
    known.emplace_back(workload.name);
    if (names.empty() || std::ranges::find(names, workload.name) != names.end()) selected.push_back(&workload);
  }
  for (const std::string& name : names) {
    if (std::ranges::find(known, name) == known.end()) {
      return Error(Code::kNotFound, fmt::format("there is no workload '{}'{}; 'sluice bench --list' names them all",
                                                name, protocol::DidYouMean(name, known)));
    }
  }
  return selected;
}

}  // namespace

Result<bool> RunBench(const std::vector<std::string>& names, const BenchOptions& options) {
  auto selected = Select(names);
  if (!selected) return Error(selected.error());
  bool all_reach_floor = true;
  boost::json::array all;
  if (!options.json) PrintHead();
  for (std::size_t i = 0; i < selected->size(); ++i) {
    const Workload* workload = selected->at(i);
    ShowStep(fmt::format("[{}/{}] {}: {}", i + 1, selected->size(), workload->name, workload->description));
    auto figures = workload->run(options);
    ShowStep("");
    if (!figures) return Error(figures.error().WithContext(fmt::format("workload {}", workload->name)));
    for (const Figure& figure : *figures) {
      all_reach_floor = all_reach_floor && figure.Reaches(figure.floor);
      if (options.json) {
        all.push_back(ToJson(figure));
      } else {
        PrintFigure(figure);
      }
    }
  }
  if (options.json) fmt::print("{}\n", boost::json::serialize(all));
  return all_reach_floor;
}

Status RunPeerBench(const BenchOptions& options) {
  auto figures = BenchKinesisPeer(options);
  if (!figures) return figures.error();
  boost::json::array all;
  for (const Figure& figure : *figures) {
    all.push_back(boost::json::object{
        {"name", figure.name}, {"unit", figure.unit}, {"value", figure.value}, {"note", figure.note}});
    if (!options.json)
      fmt::print("{:<32} {:>9} {:<6} {}\n", figure.name, Number(figure.value), figure.unit, figure.note);
  }
  if (options.json) fmt::print("{}\n", boost::json::serialize(all));
  return {};
}

}  // namespace sluice::tools

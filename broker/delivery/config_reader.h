// Reading one map of a configuration key by key: types and ranges are checked, what nobody asked for is an unknown key,
// and every message names document, line and the path of the key.
//
// One thread at a time; the nodes outlive the readers.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/config_document.h"
#include "sluice/status.h"

namespace sluice::delivery {

/// What was found out while a document was read; problems make it unusable, warnings do not.
class ConfigReport {
 public:
  /// An empty name: of a document that nobody sees, whose lines are not told.
  explicit ConfigReport(std::string_view document_name) : document_name_(document_name) {}

  void Problem(int line, std::string_view key, std::string_view what) { Add(problems_, line, key, what); }
  void Warn(int line, std::string_view key, std::string_view what) { Add(warnings_, line, key, what); }
  /// Right as such, but not served by this version.
  void NotServed(int line, std::string_view key, std::string_view what);

  bool ok() const { return problems_.empty(); }
  /// All problems, one a line.
  Status status() const;
  std::vector<std::string> TakeWarnings() { return std::move(warnings_); }

 private:
  void Add(std::vector<std::string>& list, int line, std::string_view key, std::string_view what);

  std::string document_name_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
  bool only_not_served_ = true;
};

class MapReader {
 public:
  /// `node` may be of another kind than a map: then that is reported and all keys are absent.
  MapReader(ConfigReport& report, const ConfigNode& node, std::string path);

  /// The field, nullptr where it is absent or null. Another case of the letters is taken, with a warning.
  const ConfigField* Take(std::string_view key);
  /// nullopt where the key is absent, or of a wrong kind (which is reported).
  std::optional<std::string> String(std::string_view key);
  std::optional<bool> Bool(std::string_view key);
  std::optional<std::int64_t> Int(std::string_view key, std::int64_t min, std::int64_t max);
  std::optional<double> Real(std::string_view key, double min, double max);
  std::optional<MapReader> Map(std::string_view key);
  const ConfigNode* List(std::string_view key);
  std::vector<std::string> Strings(std::string_view key);

  /// Takes keys that mean nothing here without a word.
  void Ignore(std::initializer_list<std::string_view> keys);
  /// Reports every key that was not taken.
  void Finish();

  int line() const { return node_->line; }
  /// The line of `key`, or of the map where it is absent.
  int LineOf(std::string_view key) const;
  std::string PathOf(std::string_view key) const;
  const std::string& path() const { return path_; }
  ConfigReport& report() const { return *report_; }

 private:
  ConfigReport* report_;
  const ConfigNode* node_;
  std::string path_;
  std::set<const ConfigField*> taken_;
  std::vector<std::string> known_;
};

/// "GZIP", "gzip", "Hadoop-Snappy" and "HADOOP_SNAPPY" are the same word: lower case, without '-', '_' and spaces.
std::string PlainWord(std::string_view text);

}  // namespace sluice::delivery

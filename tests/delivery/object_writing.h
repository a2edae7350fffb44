// What the tests of object writers share: writing of records in pieces, reading back, a sink that fails.
#pragma once

#include <algorithm>
#include <fstream>
#include <span>
#include <sstream>
#include <string>

#include "broker/delivery/object_writer.h"
#include "tests/catch.h"
#include "tests/delivery/sample_records.h"
#include "tests/storage/env/temp_dir.h"
#include "tools/lake/lake.h"

namespace sluice::delivery {

/// Appends in pieces of `at_once` records and finishes.
inline ObjectSummary WriteAll(ObjectWriter& writer, std::span<const RecordRef> records, std::size_t at_once) {
  std::span<const RecordRef> rest = records;
  while (!rest.empty()) {
    std::span<const RecordRef> piece = rest.first(std::min(at_once, rest.size()));
    Result<AppendOutcome> outcome = writer.Append(piece);
    REQUIRE(outcome);
    CHECK(outcome->errors.empty());
    rest = rest.subspan(piece.size());
  }
  Result<ObjectSummary> summary = writer.Finish(SampleMetadata(records.size()));
  REQUIRE(summary);
  return *summary;
}

/// The rows of an object, read back through a file.
inline std::string ReadBack(const std::string& bytes, const std::string& name) {
  storage::TempDir dir;
  std::string path = dir.path() + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  std::ostringstream rows;
  CHECK(tools::PrintLakeRows({path}, {}, rows).ToString() == Status().ToString());
  return rows.str();
}

inline std::string Lines(const SampleRecords& records) {
  std::string lines;
  for (const std::string& value : records.values) lines += value + "\n";
  return lines;
}

class FailingSink : public ObjectSink {
 public:
  explicit FailingSink(std::size_t bytes_left) : bytes_left_(bytes_left) {}
  Status Write(std::string_view bytes) override {
    if (bytes.size() > bytes_left_) return Status(Code::kResourceExhausted, "the disk is full");
    bytes_left_ -= bytes.size();
    return {};
  }

 private:
  std::size_t bytes_left_;
};

}  // namespace sluice::delivery

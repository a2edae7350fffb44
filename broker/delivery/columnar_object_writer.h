// ColumnarObjectWriter: what the writers of Parquet and ORC have in common. JSON records become batches of rows
// (row_converter.h has the rules), which are cut by rows and bytes of the records, never by Append calls, sorted where
// that is asked for, and given to the file of the format.
//
// Memory is bounded by the batch being converted and what the file holds back. Where rows are sorted, a group of them
// is held as columns until it is full: by the size of its records, or of what it takes in memory, whichever is first.
// Threads and crash behaviour: see object_writer.h.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/object_writer.h"
#include "broker/delivery/row_converter.h"
#include "broker/delivery/row_sort.h"
#include "broker/delivery/sink_stream.h"

namespace arrow {
class RecordBatch;
class Status;
}  // namespace arrow

namespace sluice::delivery {

/// The key in a footer's key-values (Parquet) or user metadata (ORC) that holds MetadataToJson.
inline constexpr std::string_view kFooterKey = "sluice";

/// What can be asked of every columnar format.
struct ColumnarOptions {
  std::vector<SortKey> sort_by;  // every group of rows is sorted by them; keys that the schema lacks are passed over
  std::vector<std::string> bloom_filter_columns;  // those that the schema has as plain columns
  double bloom_filter_fpp = 0.05;                 // false positives among the values that a filter does not have
};

/// The file of one format, written to a SinkStream. Its methods may throw as well as return what went wrong.
class ColumnarFile {
 public:
  virtual ~ColumnarFile() = default;

  /// A group of rows begins (Parquet: a row group). The first call opens the file; `rows` are some of the group's, and
  /// `row_bytes` is about the size of a row's record, for choices that depend on them.
  virtual arrow::Status BeginGroup(const arrow::RecordBatch& rows, std::uint64_t row_bytes) = 0;

  /// The next rows of the group. A file that ends groups by itself writes one here as soon as it is full.
  virtual arrow::Status Append(const arrow::RecordBatch& rows) = 0;

  /// The end of the file, with the object's metadata. Nothing may follow.
  virtual arrow::Status Close(const std::string& metadata) = 0;
};

struct ColumnarLayout {
  std::string_view format;          // for messages: "Parquet"; a constant
  std::uint64_t group_bytes = 0;    // size of the records after which a group ends
  std::vector<SortColumn> sort_by;  // none: rows stay as they come
};

/// `file` writes to `stream`. Neither has been written to.
std::unique_ptr<ObjectWriter> NewColumnarObjectWriter(ColumnarLayout layout, std::unique_ptr<RowConverter> converter,
                                                      SinkStream stream, std::unique_ptr<ColumnarFile> file);

}  // namespace sluice::delivery

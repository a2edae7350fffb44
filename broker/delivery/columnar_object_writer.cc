// Batches, sorting and counting; how a batch becomes bytes is the file's.
#include "broker/delivery/columnar_object_writer.h"

#include <arrow/api.h>
#include <arrow/compute/api_vector.h>
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "protocol/check.h"

namespace sluice::delivery {
namespace {

// A batch of rows goes to the encoders when it is this large: small enough for the caches, large enough for the
// per-batch cost.
constexpr std::uint64_t kBatchBytes = 1u << 20;
constexpr std::uint64_t kBatchRows = 16'384;
constexpr std::uint64_t kSortedBytesMax = 512ull << 20;  // of a group that is sorted: its columns have 32-bit offsets
constexpr std::uint64_t kLookBytes = 64u << 10;
constexpr std::uint64_t kLookRows = 1024;

std::uint64_t RowBytes(const arrow::RecordBatch& batch, std::uint64_t bytes) {
  return std::max<std::uint64_t>(1, bytes / static_cast<std::uint64_t>(std::max<std::int64_t>(1, batch.num_rows())));
}

class ColumnarObjectWriter : public ObjectWriter {
 public:
  ColumnarObjectWriter(ColumnarLayout layout, std::unique_ptr<RowConverter> converter, SinkStream stream,
                       std::unique_ptr<ColumnarFile> file)
      : layout_(std::move(layout)),
        converter_(std::move(converter)),
        stream_(std::move(stream)),
        file_(std::move(file)) {}

  Result<AppendOutcome> Append(std::span<const RecordRef> records) override;
  std::uint64_t bytes_buffered() const override { return converter_->bytes() + group_bytes_; }
  std::uint64_t bytes_written() const override { return stream_.written(); }
  Result<ObjectSummary> Finish(const ObjectMetadata& metadata) override;

 private:
  bool BatchIsFull();
  bool GroupIsFull();
  Status FlushBatch();
  arrow::Status WriteBatch(const arrow::RecordBatch& batch, std::uint64_t bytes);
  arrow::Status WriteSorted(const arrow::RecordBatch& batch, std::uint64_t bytes);
  arrow::Status BeginGroup(const arrow::RecordBatch& rows, std::uint64_t bytes, std::uint64_t row_bytes);
  // Runs a call into Arrow; what it throws or returns becomes one Status, the sink's own first.
  template <typename Call>
  Status Guard(std::string_view what, Call call);

  const ColumnarLayout layout_;
  std::unique_ptr<RowConverter> converter_;
  SinkStream stream_;
  std::unique_ptr<ColumnarFile> file_;  // null after Finish
  bool open_ = false;                   // a group was begun
  std::uint64_t group_bytes_ = 0;       // of records given to the group that is open; encoded they take no more
  std::uint64_t look_at_bytes_ = 0;     // of the batch: when its memory is looked at next
  std::uint64_t look_at_rows_ = 0;
  ObjectSummary summary_;
};

template <typename Call>
Status ColumnarObjectWriter::Guard(std::string_view what, Call call) {
  const std::string context = fmt::format("{} the {} file", what, layout_.format);
  Status status;
  try {
    const arrow::Status done = call();
    if (!done.ok()) status = Status(Code::kInternal, fmt::format("{}: {}", context, done.ToString()));
  } catch (const std::exception& e) {  // the inner layers of the formats throw
    status = Status(Code::kInternal, fmt::format("{}: {}", context, e.what()));
  }
  return stream_.error().ok() ? status : stream_.error().WithContext(context);
}

Result<AppendOutcome> ColumnarObjectWriter::Append(std::span<const RecordRef> records) {
  SLUICE_CHECK(file_ != nullptr);
  AppendOutcome outcome;
  std::uint64_t overflow_before = converter_->overflow_fields();
  for (std::size_t i = 0; i < records.size(); ++i) {
    std::uint64_t rows_before = converter_->rows();
    if (std::optional<RowError> error = converter_->Add(records[i].value)) {
      outcome.errors.push_back({i, error->code, std::move(error->message)});
      continue;
    }
    outcome.rows += converter_->rows() - rows_before;
    if (BatchIsFull()) {
      if (Status status = FlushBatch(); !status.ok()) return Error(std::move(status));
    }
  }
  outcome.overflow_fields = converter_->overflow_fields() - overflow_before;
  summary_.rows += outcome.rows;
  summary_.records += static_cast<std::uint64_t>(std::ranges::count_if(records, &RecordRef::counts));
  summary_.user_records += records.size();
  summary_.errors += outcome.errors.size();
  summary_.overflow_fields += outcome.overflow_fields;
  return outcome;
}

bool ColumnarObjectWriter::BatchIsFull() {
  if (!layout_.sort_by.empty()) return GroupIsFull();
  return converter_->bytes() >= kBatchBytes || converter_->rows() >= kBatchRows;
}

// A sorted group is one batch. Adding up its memory takes a while, so that is done every so many bytes and rows, which
// the records alone decide.
bool ColumnarObjectWriter::GroupIsFull() {
  if (converter_->bytes() < look_at_bytes_ && converter_->rows() < look_at_rows_) return false;
  look_at_bytes_ = converter_->bytes() + kLookBytes;
  look_at_rows_ = converter_->rows() + kLookRows;
  std::uint64_t memory = converter_->memory_bytes() + converter_->rows() * kSortBytesPerRow;
  return std::max(converter_->bytes(), memory) >= std::min(layout_.group_bytes, kSortedBytesMax);
}

Status ColumnarObjectWriter::FlushBatch() {
  std::uint64_t bytes = converter_->bytes();
  std::shared_ptr<arrow::RecordBatch> batch = converter_->TakeBatch();
  look_at_bytes_ = look_at_rows_ = 0;
  return Guard("writing", [&]() -> arrow::Status {
    bool sort = !layout_.sort_by.empty() && batch->num_rows() > 0;
    return sort ? WriteSorted(*batch, bytes) : WriteBatch(*batch, bytes);
  });
}

arrow::Status ColumnarObjectWriter::WriteBatch(const arrow::RecordBatch& batch, std::uint64_t bytes) {
  if (!open_ || group_bytes_ >= layout_.group_bytes) {
    ARROW_RETURN_NOT_OK(BeginGroup(batch, bytes, RowBytes(batch, bytes)));
  } else {
    group_bytes_ += bytes;
  }
  const std::uint64_t written = stream_.written();
  ARROW_RETURN_NOT_OK(file_->Append(batch));
  if (stream_.written() > written) group_bytes_ = 0;  // the file has ended a group by itself
  return arrow::Status::OK();
}

// A whole group, gathered in pieces, so that only one piece is there twice.
arrow::Status ColumnarObjectWriter::WriteSorted(const arrow::RecordBatch& batch, std::uint64_t bytes) {
  const std::uint64_t row_bytes = RowBytes(batch, bytes);
  ARROW_RETURN_NOT_OK(BeginGroup(*batch.Slice(0, kBatchRows), bytes, row_bytes));
  std::vector<std::uint32_t> order = SortedRows(batch, layout_.sort_by);
  SLUICE_CHECK(order.size() == static_cast<std::size_t>(batch.num_rows()));
  const std::size_t at_once = std::clamp<std::size_t>(kBatchBytes / row_bytes, 1, kBatchRows);
  arrow::Datum rows(batch.Slice(0));
  for (std::size_t begin = 0; begin < order.size(); begin += at_once) {
    const std::size_t count = std::min(at_once, order.size() - begin);
    arrow::UInt32Array piece(static_cast<std::int64_t>(count), arrow::Buffer::Wrap(order.data() + begin, count));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum sorted,
                          arrow::compute::Take(rows, piece, arrow::compute::TakeOptions::NoBoundsCheck()));
    ARROW_RETURN_NOT_OK(file_->Append(*sorted.record_batch()));
  }
  return arrow::Status::OK();
}

arrow::Status ColumnarObjectWriter::BeginGroup(const arrow::RecordBatch& rows, std::uint64_t bytes,
                                               std::uint64_t row_bytes) {
  open_ = true;
  group_bytes_ = bytes;
  return file_->BeginGroup(rows, row_bytes);
}

Result<ObjectSummary> ColumnarObjectWriter::Finish(const ObjectMetadata& metadata) {
  SLUICE_CHECK(file_ != nullptr);
  if (converter_->rows() > 0 || !open_) {
    if (Status status = FlushBatch(); !status.ok()) return Error(std::move(status));
  }
  Status status = Guard("finishing", [&] { return file_->Close(MetadataToJson(metadata, summary_)); });
  if (!status.ok()) return Error(std::move(status));
  file_.reset();
  group_bytes_ = 0;
  summary_.bytes = stream_.written();
  return summary_;
}

}  // namespace

std::unique_ptr<ObjectWriter> NewColumnarObjectWriter(ColumnarLayout layout, std::unique_ptr<RowConverter> converter,
                                                      SinkStream stream, std::unique_ptr<ColumnarFile> file) {
  return std::make_unique<ColumnarObjectWriter>(std::move(layout), std::move(converter), std::move(stream),
                                                std::move(file));
}

}  // namespace sluice::delivery

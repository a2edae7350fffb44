// RowConverter over simdjson On-Demand: one pass over each record, straight into the columns.
#include "broker/delivery/row_converter.h"

#include <arrow/api.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "broker/delivery/column.h"
#include "broker/delivery/column_node.h"
#include "broker/delivery/json_scan.h"
#include "broker/delivery/scalar_values.h"
#include "broker/delivery/text_values.h"
#include "protocol/check.h"
#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

namespace ondemand = simdjson::ondemand;

// Values (nulls included) that one record may put into the columns: stops `[{},{},..]` from filling a wide struct.
constexpr std::uint64_t kRecordValuesMax = 8u << 20;
constexpr std::uint64_t kBatchBytesMax = 1u << 30;
constexpr std::size_t kValueBytesShown = 64;
constexpr std::size_t kPadding = std::max<std::size_t>(KeyTable::kPadding, simdjson::SIMDJSON_PADDING);

class OnDemandConverter : public RowConverter {
 public:
  Status Init(const Schema& schema, const ConverterOptions& options);

  std::optional<RowError> Add(std::string_view record) override;
  std::uint64_t rows() const override { return rows_; }
  std::uint64_t bytes() const override { return bytes_; }
  std::uint64_t memory_bytes() const override;
  std::uint64_t overflow_fields() const override { return overflow_fields_; }
  std::shared_ptr<arrow::Schema> arrow_schema() const override { return arrow_schema_; }
  std::shared_ptr<arrow::RecordBatch> TakeBatch() override;

 private:
  bool AddRecord(std::string_view record);
  bool AddSeveral(std::string_view record);
  bool AddNoObject(std::string_view record);
  bool AddRow(std::string_view text, bool* more);

  Outcome AppendFields(ColumnNode& node, ondemand::object object, std::uint64_t row, bool in_list);
  Outcome AppendField(ColumnNode& node, const char* key, ondemand::value value, std::uint64_t row, bool in_list);
  Outcome AppendSecond(const ColumnNode& parent, ColumnNode& node, std::uint64_t row, bool in_list);
  Outcome AppendUnknown(const ColumnNode& parent, std::string_view key, std::string_view token, bool in_list);
  Outcome AppendValue(ColumnNode& node, ondemand::value value, bool in_list);
  Outcome AppendPlain(ColumnNode& node, std::string_view text, bool quoted);
  Outcome AppendText(ColumnNode& node, ondemand::value value, std::string_view token);
  Outcome AppendRaw(ColumnNode& node, std::string_view token);
  Outcome AppendArray(ColumnNode& node, ondemand::value value);
  Outcome AppendMap(ColumnNode& node, ondemand::value value);
  Outcome AppendMapKey(ColumnNode& node, ondemand::field& field);
  Outcome AppendStruct(ColumnNode& node, ondemand::value value, bool in_list);

  std::string_view RawValue(std::string_view token) const;
  Outcome Overflow(std::string_view path, std::string_view raw);
  Outcome Malformed(simdjson::error_code error);
  Outcome MalformedValue(std::string_view text);
  Outcome Mismatch(const ColumnNode& node, std::string_view token);
  Outcome TooManyValues();
  bool Fail(std::string_view code, std::string message);
  void RollBack(std::uint64_t row);
  void FinishRow();

  // Constant after Init.
  std::vector<Column> columns_;
  std::vector<Field> fields_;
  ColumnNode root_;
  TimestampRules timestamps_;
  std::size_t record_bytes_max_ = 0;
  bool overflow_ = false;
  std::shared_ptr<arrow::Schema> arrow_schema_;

  // Of the batch being built.
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  bool taken_ = false;  // the columns still hold the batch that was taken

  // Of the record being added.
  ondemand::parser parser_;
  std::unique_ptr<char[]> padded_;
  std::size_t padded_bytes_ = 0;
  std::string_view text_;  // what is parsed, inside padded_
  std::uint64_t values_ = 0;
  std::string overflow_text_;
  std::uint64_t row_overflow_fields_ = 0;
  RowError error_;

  bool expect_several_ = false;  // the record before this one held several objects
  std::uint64_t overflow_fields_ = 0;
};

Status OnDemandConverter::Init(const Schema& schema, const ConverterOptions& options) {
  if (schema.columns.empty() && !schema.overflow) return Status(Code::kInvalidArgument, "the schema has no column");
  for (const std::string& pattern : options.timestamp_formats) {
    if (pattern == "millis") {
      timestamps_.millis = true;
      continue;
    }
    Result<TimestampFormat> format = TimestampFormat::Compile(pattern);
    if (!format) return format.error();
    timestamps_.formats.push_back(*std::move(format));
  }
  timestamps_.fractions_before_1970 = options.fractions_before_1970;
  record_bytes_max_ = options.record_bytes_max;
  overflow_ = schema.overflow;
  fields_ = schema.columns;
  if (overflow_) fields_.push_back({std::string(kOverflowColumn), ColumnType{}});

  arrow::FieldVector arrow_fields;
  columns_.reserve(fields_.size());  // nodes point into it
  for (const Field& field : fields_) {
    columns_.emplace_back(field.type);
    arrow_fields.push_back(arrow::field(field.name, columns_.back().arrow_type()));
  }
  arrow_schema_ = arrow::schema(std::move(arrow_fields));

  Result<KeyTable> keys = KeyTable::New(schema.columns, options);
  if (!keys) return keys.error();
  root_.keys = *std::move(keys);
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    Result<ColumnNode> node = MakeColumnNode(columns_[i], fields_[i], "", options);
    if (!node) return node.error();
    root_.children.push_back(*std::move(node));
    root_.leaves += root_.children.back().leaves;
  }
  return {};
}

std::optional<RowError> OnDemandConverter::Add(std::string_view record) {
  SLUICE_CHECK(bytes_ < kBatchBytesMax);
  if (taken_) RollBack(0);
  taken_ = false;
  std::uint64_t first_row = rows_;
  std::uint64_t overflow_fields = overflow_fields_;
  values_ = 0;
  if (!AddRecord(record)) {
    RollBack(first_row);
    overflow_fields_ = overflow_fields;
    return std::move(error_);
  }
  bytes_ += record.size() + values_;
  return std::nullopt;
}

bool OnDemandConverter::AddRecord(std::string_view record) {
  if (record.size() > record_bytes_max_) {
    return Fail(kMalformedDataCode,
                fmt::format("Data does not match the schema. The record has {} bytes, more than {}.", record.size(),
                            record_bytes_max_));
  }
  if (padded_bytes_ < record.size() + kPadding) {
    padded_bytes_ = std::max(record.size() + kPadding, 2 * padded_bytes_);
    padded_ = std::make_unique_for_overwrite<char[]>(padded_bytes_);
  }
  if (record.empty() || record.front() != '{') {
    record = TrimJson(record);
    if (record.empty() || record.front() != '{') return AddNoObject(record);
  }
  if (expect_several_) return AddSeveral(record);
  std::uint64_t row = rows_;
  bool more = false;
  if (!AddRow(record, &more)) return false;
  if (!more) return true;
  RollBack(row);
  values_ = 0;
  return AddSeveral(record);
}

// Objects one after another, with or without white space between them; each is found first, then parsed by itself.
bool OnDemandConverter::AddSeveral(std::string_view record) {
  std::size_t objects = 0;
  for (std::string_view rest = TrimJson(record); !rest.empty(); rest = TrimJson(rest), ++objects) {
    std::string_view object = SkipJsonValue(rest, kDepthMax);
    if (object.empty()) {
      MalformedValue(rest);
      return false;
    }
    if (object.front() != '{') return AddNoObject(object);
    bool more = false;
    if (!AddRow(object, &more)) return false;
    SLUICE_CHECK(!more);
    rest.remove_prefix(object.size());
  }
  expect_several_ = objects > 1;
  return true;
}

bool OnDemandConverter::AddNoObject(std::string_view record) {
  constexpr std::string_view kText = "Data does not match the schema. Expected a JSON object, got ";
  if (record.empty()) return Fail(kMalformedDataCode, fmt::format("{}an empty record.", kText));
  if (SkipJsonValue(record, kDepthMax).empty()) {
    MalformedValue(record);
    return false;
  }
  return Fail(kMalformedDataCode, fmt::format("{}{}.", kText, record.front() == '[' ? "an array" : "a primitive"));
}

// Parses the object that `text` starts with into one row. `more`: something follows the object.
bool OnDemandConverter::AddRow(std::string_view text, bool* more) {
  std::memcpy(padded_.get(), text.data(), text.size());
  std::memset(padded_.get() + text.size(), ' ', kPadding);
  text_ = std::string_view(padded_.get(), text.size());
  overflow_text_.clear();
  row_overflow_fields_ = 0;
  error_ = {};

  ondemand::document document;
  ondemand::object object;
  simdjson::error_code error = parser_.iterate(text_.data(), text_.size(), text_.size() + kPadding).get(document);
  if (error == simdjson::SUCCESS) error = document.get_object().get(object);
  if (error != simdjson::SUCCESS) {
    Malformed(error);
    return false;
  }
  if (AppendFields(root_, object, rows_, false) != Outcome::kTaken) return false;
  const char* end = nullptr;
  *more = document.current_location().get(end) == simdjson::SUCCESS;
  FinishRow();
  return true;
}

void OnDemandConverter::FinishRow() {
  if (overflow_) {
    Column& column = columns_.back();
    if (overflow_text_.empty()) {
      column.AppendNull();
    } else {
      overflow_text_ += '}';
      column.AppendBytes(overflow_text_);
      bytes_ += overflow_text_.size();
    }
    overflow_fields_ += row_overflow_fields_;
  }
  ++rows_;
  SLUICE_DCHECK(columns_.front().size() == rows_ && columns_.back().size() == rows_);
}

Outcome OnDemandConverter::AppendFields(ColumnNode& node, ondemand::object object, std::uint64_t row, bool in_list) {
  values_ += node.leaves;
  if (values_ > kRecordValuesMax) return TooManyValues();
  node.keys.Rewind();
  for (auto item : object) {
    ondemand::field field;
    if (simdjson::error_code error = std::move(item).get(field); error != simdjson::SUCCESS) return Malformed(error);
    const char* key = field.key().raw();
    int place = node.keys.Find(key);
    Outcome outcome = Outcome::kTaken;
    if (place != KeyTable::kNoColumn) {
      ColumnNode& child = node.children[static_cast<std::size_t>(place)];
      if (child.column->size() != row) outcome = AppendSecond(node, child, row, in_list);
      if (outcome == Outcome::kTaken) outcome = AppendField(child, key, field.value(), row, in_list);
    } else if (overflow_) {
      outcome = AppendUnknown(node, KeyText(key), field.value().raw_json_token(), in_list);
    }
    if (outcome != Outcome::kTaken) return outcome;
  }
  for (ColumnNode& child : node.children) {
    if (child.column->size() == row) child.column->AppendNull();
  }
  return Outcome::kTaken;
}

// One field of a struct or of the record: afterwards its column has row + 1 values, unless the record fails.
Outcome OnDemandConverter::AppendField(ColumnNode& node, const char* key, ondemand::value value, std::uint64_t row,
                                       bool in_list) {
  Column& column = *node.column;
  std::string_view token = value.raw_json_token();
  node.key = key;
  node.token = token;
  Outcome outcome = AppendValue(node, value, in_list);
  if (outcome != Outcome::kMismatch) return outcome;
  if (!overflow_ || in_list) return Mismatch(node, token);
  std::string_view raw = RawValue(token);
  if (raw.empty()) return MalformedValue(text_);
  column.Truncate(row);
  column.AppendNull();
  node.key = nullptr;
  return Overflow(node.path, raw);
}

// The key comes a second time, perhaps in another case: the last value counts, and the one before it is a field without
// a column.
Outcome OnDemandConverter::AppendSecond(const ColumnNode& parent, ColumnNode& node, std::uint64_t row, bool in_list) {
  node.column->Truncate(row);
  if (!overflow_ || node.key == nullptr) return Outcome::kTaken;
  return AppendUnknown(parent, KeyText(node.key), node.token, in_list);
}

// A key without a column. Inside a list there is no path to it: then the whole list is what does not fit.
Outcome OnDemandConverter::AppendUnknown(const ColumnNode& parent, std::string_view key, std::string_view token,
                                         bool in_list) {
  std::string_view raw = RawValue(token);
  if (raw.empty()) return MalformedValue(text_);
  if (raw == "null") return Outcome::kTaken;
  std::string_view quoted(key.data() - 1, key.size() + 2);
  if (SkipJsonValue(quoted, 0).size() != quoted.size()) return Malformed(simdjson::STRING_ERROR);  // a bad escape
  if (in_list) return Outcome::kMismatch;
  return Overflow(parent.path.empty() ? std::string(key) : fmt::format("{}.{}", parent.path, key), raw);
}

Outcome OnDemandConverter::AppendValue(ColumnNode& node, ondemand::value value, bool in_list) {
  std::string_view token = value.raw_json_token();
  char first = token.front();
  if (first == 'n') {
    if (TrimJson(token) != "null") return Malformed(simdjson::N_ATOM_ERROR);
    node.column->AppendNull();
    return Outcome::kTaken;
  }
  switch (node.column->kind()) {
    case TypeKind::kArray:
      return first == '[' ? AppendArray(node, value) : Outcome::kMismatch;
    case TypeKind::kMap:
      return first == '{' ? AppendMap(node, value) : Outcome::kMismatch;
    case TypeKind::kStruct:
      return first == '{' ? AppendStruct(node, value, in_list) : Outcome::kMismatch;
    default:
      break;
  }
  if (first == '"') return AppendText(node, value, token);
  if (first == '{' || first == '[') return AppendRaw(node, token);
  Outcome outcome = AppendPlain(node, TrimJson(token), false);
  return outcome == Outcome::kMalformed ? Malformed(simdjson::NUMBER_ERROR) : outcome;
}

Outcome OnDemandConverter::AppendText(ColumnNode& node, ondemand::value value, std::string_view token) {
  while (token.back() != '"') token.remove_suffix(1);  // white space behind the string
  std::string_view text = token.substr(1, token.size() - 2);
  if (std::memchr(text.data(), '\\', text.size()) != nullptr) {
    if (simdjson::error_code error = value.get_string().get(text); error != simdjson::SUCCESS) return Malformed(error);
  }
  return AppendPlain(node, text, true);
}

// Where there is an overflow column, no digit is lost; without one a double takes the nearest, as other SerDes do.
Outcome OnDemandConverter::AppendPlain(ColumnNode& node, std::string_view text, bool quoted) {
  if (overflow_ && node.column->kind() == TypeKind::kDouble && !DoubleHolds(text)) return Outcome::kMismatch;
  return AppendScalar(*node.column, text, quoted, timestamps_);
}

// An object or array where the column is a scalar: a string takes its text.
Outcome OnDemandConverter::AppendRaw(ColumnNode& node, std::string_view token) {
  if (node.column->kind() != TypeKind::kString) return Outcome::kMismatch;
  std::string_view raw = RawValue(token);
  if (raw.empty()) return MalformedValue(text_);
  node.column->AppendBytes(raw);
  return Outcome::kTaken;
}

Outcome OnDemandConverter::AppendArray(ColumnNode& node, ondemand::value value) {
  ondemand::array array;
  if (simdjson::error_code error = value.get_array().get(array); error != simdjson::SUCCESS) return Malformed(error);
  for (auto item : array) {
    ondemand::value element;
    if (simdjson::error_code error = std::move(item).get(element); error != simdjson::SUCCESS) return Malformed(error);
    if (++values_ > kRecordValuesMax) return TooManyValues();
    Outcome outcome = AppendValue(node.children[0], element, true);
    if (outcome != Outcome::kTaken) return outcome;
  }
  node.column->AppendList();
  return Outcome::kTaken;
}

Outcome OnDemandConverter::AppendMap(ColumnNode& node, ondemand::value value) {
  ondemand::object object;
  if (simdjson::error_code error = value.get_object().get(object); error != simdjson::SUCCESS) return Malformed(error);
  const std::uint64_t first = node.children[0].column->size();
  for (auto item : object) {
    ondemand::field field;
    if (simdjson::error_code error = std::move(item).get(field); error != simdjson::SUCCESS) return Malformed(error);
    if (++values_ > kRecordValuesMax) return TooManyValues();
    Outcome outcome = AppendMapKey(node.children[0], field);
    if (outcome == Outcome::kTaken) outcome = AppendValue(node.children[1], field.value(), true);
    if (outcome != Outcome::kTaken) return outcome;
  }
  node.column->KeepLastOfEachKey(first);  // readers refuse a map that has a key twice
  node.column->AppendList();
  return Outcome::kTaken;
}

Outcome OnDemandConverter::AppendMapKey(ColumnNode& node, ondemand::field& field) {
  std::string_view key;
  if (simdjson::error_code error = field.unescaped_key().get(key); error != simdjson::SUCCESS) return Malformed(error);
  return AppendScalar(*node.column, key, true, timestamps_);
}

Outcome OnDemandConverter::AppendStruct(ColumnNode& node, ondemand::value value, bool in_list) {
  ondemand::object object;
  if (simdjson::error_code error = value.get_object().get(object); error != simdjson::SUCCESS) return Malformed(error);
  Outcome outcome = AppendFields(node, object, node.column->size(), in_list);
  if (outcome == Outcome::kTaken) node.column->AppendStruct();
  return outcome;
}

// The whole value that starts where `token` starts; empty where it is malformed or too deep.
std::string_view OnDemandConverter::RawValue(std::string_view token) const {
  auto place = static_cast<std::size_t>(token.data() - text_.data());
  SLUICE_DCHECK(place < text_.size());
  return SkipJsonValue(text_.substr(place), kDepthMax);
}

Outcome OnDemandConverter::Overflow(std::string_view path, std::string_view raw) {
  overflow_text_ += overflow_text_.empty() ? '{' : ',';
  overflow_text_ += '"';
  overflow_text_ += path;
  overflow_text_ += "\":";
  overflow_text_ += raw;
  ++row_overflow_fields_;
  return Outcome::kTaken;
}

Outcome OnDemandConverter::Malformed(simdjson::error_code error) {
  Fail(kParseErrorCode,
       fmt::format("Encountered malformed JSON. {}", protocol::JsonErrorText(simdjson::error_message(error))));
  return Outcome::kMalformed;
}

/// `text` holds a value that SkipJsonValue did not take.
Outcome OnDemandConverter::MalformedValue(std::string_view text) {
  return Malformed(NestsDeeper(text, kDepthMax) ? simdjson::DEPTH_ERROR : simdjson::TAPE_ERROR);
}

Outcome OnDemandConverter::Mismatch(const ColumnNode& node, std::string_view token) {
  if (!error_.code.empty()) return Outcome::kMismatch;  // the innermost column has been named
  std::string_view raw = RawValue(token);
  if (raw.empty()) return MalformedValue(text_);
  Fail(kMalformedDataCode, fmt::format("Data does not match the schema. Column '{}' of type {} does not take {}{}",
                                       node.path, ToHiveType(*node.type), raw.substr(0, kValueBytesShown),
                                       raw.size() > kValueBytesShown ? "..." : "."));
  return Outcome::kMismatch;
}

Outcome OnDemandConverter::TooManyValues() {
  Fail(kMalformedDataCode,
       fmt::format("Data does not match the schema. The record holds more than {} values.", kRecordValuesMax));
  return Outcome::kMalformed;
}

bool OnDemandConverter::Fail(std::string_view code, std::string message) {
  error_ = {code, std::move(message)};
  return false;
}

// Takes back rows, and what a failed row has left in columns.
void OnDemandConverter::RollBack(std::uint64_t row) {
  for (Column& column : columns_) column.Truncate(std::min(row, column.size()));
  rows_ = row;
}

std::uint64_t OnDemandConverter::memory_bytes() const {
  std::uint64_t bytes = 0;
  for (const Column& column : columns_) bytes += column.bytes();
  return bytes;
}

std::shared_ptr<arrow::RecordBatch> OnDemandConverter::TakeBatch() {
  std::vector<std::shared_ptr<arrow::ArrayData>> data;
  for (Column& column : columns_) data.push_back(column.View());
  auto batch = arrow::RecordBatch::Make(arrow_schema_, static_cast<std::int64_t>(rows_), std::move(data));
  rows_ = 0;
  bytes_ = 0;
  taken_ = true;
  return batch;
}

}  // namespace

Result<std::unique_ptr<RowConverter>> RowConverter::New(const Schema& schema, const ConverterOptions& options) {
  auto converter = std::make_unique<OnDemandConverter>();
  if (Status status = converter->Init(schema, options); !status.ok()) return Error(std::move(status));
  return converter;
}

}  // namespace sluice::delivery

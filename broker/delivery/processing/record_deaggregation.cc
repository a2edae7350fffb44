// Parts are views of the record that they are part of.
#include "broker/delivery/processing/record_deaggregation.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "broker/delivery/error_record.h"
#include "broker/delivery/json_scan.h"
#include "protocol/base64.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "RecordDeAggregation";
constexpr std::string_view kSubRecordType = "SubRecordType";
constexpr std::string_view kDelimiter = "Delimiter";
constexpr std::string_view kParseCode = "RecordDeAggregation.ParseError";
constexpr std::string_view kMalformedCode = "RecordDeAggregation.MalformedData";
constexpr std::size_t kDepthMax = 64;

/// Why a record cannot be taken apart.
struct SplitError {
  std::string_view code;
  std::string message;
};
using Parts = std::vector<std::string_view>;
using Failure = std::optional<SplitError>;

class RecordDeAggregation : public Processor {
 public:
  Status Process(WorkBatch& batch) override {
    opened_.clear();
    for (const WorkRecord& record : batch.records) {
      parts_.clear();
      Failure failure = Split(record.record.value, parts_);
      if (!failure && parts_.size() > kPartsMax) {
        failure = SplitError{kMalformedCode, fmt::format("The record holds more than {} records.", kPartsMax)};
      }
      if (failure) {
        batch.Fail(record, kProcessingFailed, std::string(failure->code), std::move(failure->message));
      } else if (parts_.empty()) {
        ++batch.filtered;
      } else {
        AddParts(record, parts_, opened_);
      }
    }
    batch.records.swap(opened_);
    return Status();
  }

 protected:
  /// Ends where there are more parts than kPartsMax.
  virtual Failure Split(std::string_view record, Parts& parts) const = 0;

 private:
  Parts parts_;
  std::vector<WorkRecord> opened_;
};

class JsonRecords : public RecordDeAggregation {
  Failure Split(std::string_view record, Parts& parts) const override {
    std::string_view rest = TrimJson(record);
    while (!rest.empty() && parts.size() <= kPartsMax) {
      const std::string_view object = rest.front() == '{' ? SkipJsonValue(rest, kDepthMax) : std::string_view();
      if (object.empty()) return Explain(rest, static_cast<std::size_t>(rest.data() - record.data()));
      parts.push_back(object);
      rest = TrimJson(rest.substr(object.size()));
    }
    return std::nullopt;
  }

  /// `rest` begins with no object, at `place` in the record.
  static SplitError Explain(std::string_view rest, std::size_t place) {
    const bool deep = NestsDeeper(rest, kDepthMax);
    if (rest.front() == '{' || SkipJsonValue(rest, kDepthMax).empty()) {
      return {kParseCode, fmt::format("Encountered malformed JSON. The value at byte {} {}.", place,
                                      deep ? "is nested deeper than 64 levels" : "is broken or cut off")};
    }
    return {kMalformedCode, fmt::format("Expected JSON objects one behind the other; at byte {} there is {}.", place,
                                        rest.front() == '[' ? "an array" : "a primitive")};
  }
};

class DelimitedRecords : public RecordDeAggregation {
 public:
  explicit DelimitedRecords(std::string delimiter) : delimiter_(std::move(delimiter)) {}

 private:
  Failure Split(std::string_view record, Parts& parts) const override {
    while (!record.empty() && parts.size() <= kPartsMax) {
      const std::string_view part = record.substr(0, record.find(delimiter_));
      parts.push_back(part);
      record.remove_prefix(std::min(record.size(), part.size() + delimiter_.size()));
    }
    return std::nullopt;
  }

  const std::string delimiter_;
};

Result<std::unique_ptr<Processor>> Make(const ProcessorConfig& config, const ProcessorContext&) {
  const std::string* const type = config.Find(kSubRecordType);
  if (type != nullptr && *type == "JSON") return std::make_unique<JsonRecords>();
  if (type == nullptr || *type != "DELIMITED") {
    return Error(Code::kInvalidArgument, "SubRecordType has to be one of JSON, DELIMITED");
  }
  const std::string* const encoded = config.Find(kDelimiter);
  if (encoded == nullptr || encoded->empty()) {
    return Error(Code::kInvalidArgument, "Delimiter should be present for DELIMITED");
  }
  Result<std::string> delimiter = protocol::DecodeBase64(*encoded);
  if (!delimiter) {
    return Error(Code::kInvalidArgument,
                 fmt::format("Delimiter '{}' is not base64; that of a line break is Cg==", *encoded));
  }
  return std::make_unique<DelimitedRecords>(std::move(*delimiter));
}

}  // namespace

ProcessorKind RecordDeAggregationKind() {
  return {.type = kType, .parameters = {kSubRecordType, kDelimiter}, .make = &Make, .entry = PipelineEntry::kText};
}

}  // namespace sluice::delivery

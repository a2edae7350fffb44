// The documents are parsed as a whole: what is in error goes into the error output in one piece.
#include "broker/delivery/processing/cloudwatch_log_processing.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <optional>
#include <utility>

#include "broker/delivery/error_record.h"
#include "protocol/json_text.h"

namespace sluice::delivery {
namespace {

constexpr std::string_view kType = "CloudWatchLogProcessing";
constexpr std::string_view kExtraction = "DataMessageExtraction";
constexpr std::string_view kParseCode = "CloudWatchLogProcessing.ParseError";
constexpr std::string_view kMalformedCode = "CloudWatchLogProcessing.MalformedData";
constexpr std::size_t kTypeBytesShown = 64;
constexpr std::size_t kParserKeptBytesMax = 4u << 20;

/// Why a document gives no messages.
struct DocumentError {
  std::string_view code;
  std::string message;
};
using Failure = std::optional<DocumentError>;

DocumentError NoDocument(std::string_view why) {
  return {kMalformedCode, fmt::format("The record is no document of a CloudWatch Logs subscription: {}", why)};
}

class CloudWatchLogProcessing : public Processor {
 public:
  Status Process(WorkBatch& batch) override {
    opened_.clear();
    for (const WorkRecord& record : batch.records) {
      messages_.clear();
      if (Failure failure = Read(record.record.value)) {
        batch.Fail(record, kProcessingFailed, std::string(failure->code), std::move(failure->message));
      } else if (messages_.empty()) {
        ++batch.filtered;
      } else {
        for (std::string_view& message : messages_) message = batch.Keep(message);  // out of the parser's memory
        AddParts(record, messages_, opened_);
      }
      if (parser_.capacity() > kParserKeptBytesMax) parser_ = simdjson::dom::parser();
    }
    batch.records.swap(opened_);
    return Status();
  }

 private:
  /// Puts the messages of a document into messages_; they live until the next call.
  Failure Read(std::string_view text) {
    simdjson::dom::element document;
    if (const auto error = parser_.parse(text.data(), text.size()).get(document); error != simdjson::SUCCESS) {
      return DocumentError{kParseCode, fmt::format("Encountered malformed JSON. {}",
                                                   protocol::JsonErrorText(simdjson::error_message(error)))};
    }
    simdjson::dom::object map;
    if (document.get(map) != simdjson::SUCCESS) return NoDocument("it is not a JSON object.");
    std::string_view type;
    if (map["messageType"].get(type) != simdjson::SUCCESS) return NoDocument("it has no messageType.");
    if (type == "CONTROL_MESSAGE") return std::nullopt;
    if (type != "DATA_MESSAGE") {
      return NoDocument(fmt::format("its messageType is '{}', neither DATA_MESSAGE nor CONTROL_MESSAGE.",
                                    type.substr(0, kTypeBytesShown)));
    }
    simdjson::dom::array events;
    if (map["logEvents"].get(events) != simdjson::SUCCESS) return NoDocument("it has no list of logEvents.");
    return ReadEvents(events);
  }

  Failure ReadEvents(const simdjson::dom::array& events) {
    for (const simdjson::dom::element event : events) {
      if (messages_.size() == kPartsMax) return NoDocument(fmt::format("it has more than {} logEvents.", kPartsMax));
      std::string_view message;
      if (event["message"].get(message) != simdjson::SUCCESS) {
        return NoDocument(fmt::format("there is no text 'message' in logEvents[{}].", messages_.size()));
      }
      messages_.push_back(message);
    }
    return std::nullopt;
  }

  simdjson::dom::parser parser_;
  std::vector<std::string_view> messages_;
  std::vector<WorkRecord> opened_;
};

class PassAsTheyAre : public Processor {
 public:
  Status Process(WorkBatch&) override { return Status(); }
};

Result<std::unique_ptr<Processor>> Make(const ProcessorConfig& config, const ProcessorContext&) {
  const std::string* const extraction = config.Find(kExtraction);
  if (extraction != nullptr && *extraction == "true") return std::make_unique<CloudWatchLogProcessing>();
  if (extraction != nullptr && *extraction == "false") return std::make_unique<PassAsTheyAre>();
  return Error(Code::kInvalidArgument, "DataMessageExtraction has to be one of true, false");
}

}  // namespace

ProcessorKind CloudWatchLogProcessingKind() {
  return {.type = kType,
          .parameters = {kExtraction},
          .make = &Make,
          .needs = "Decompression",
          .entry = PipelineEntry::kPart};
}

}  // namespace sluice::delivery

// Counting by reason.
#include "broker/delivery/error_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>
#include <utility>

#include "broker/delivery/config_document.h"
#include "broker/delivery/state_reader.h"
#include "protocol/ascii.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kPageBytes = 128u << 20;  // of error objects and dead letters that one page has read
constexpr int kPagePlacesMax = 2'000;             // that one page has looked at
constexpr std::size_t kReasonsMax = 200;          // of one page; further messages are counted by their code
constexpr std::size_t kMessageBytesMax = 300;     // of what is told
constexpr std::uint64_t kSamplesMax = 100;        // of one reason
constexpr std::uint64_t kSampleBytesMax = 4096;   // of a record; its size is told
constexpr std::uint64_t kPageSampleBytes = 300u << 10;
constexpr std::string_view kFurther = "(further messages)";

/// What a message says of every record: numbers are '#', quoted values "..", as they differ from record to record;
/// names stand in single quotes and stay.
std::string Generalized(std::string_view message) {
  std::string text;
  for (std::size_t i = 0; i < message.size() && text.size() < kMessageBytesMax; ++i) {
    const char c = message[i];
    if (c == '\'' || c == '"') {
      const std::size_t end = std::min(message.find(c, i + 1), message.size() - 1);
      text += c == '"' ? std::string_view("\"..\"") : message.substr(i, end - i + 1);
      i = end;
    } else if (protocol::IsDigit(c)) {
      if (!text.ends_with('#')) text += '#';
    } else {
      text += c;
    }
  }
  return Utf8Text(text);
}

struct Reason {
  std::uint64_t records = 0;
  std::uint64_t objects = 0;
  std::uint64_t dead_letters = 0;  // of `records`
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  const ErrorSource* last_object = nullptr;
  std::vector<ErrorRecord> samples = {};
};

/// Of one dead-letter stream.
struct DeadLetterCounts {
  std::uint64_t records = 0;
  std::uint64_t gone = 0;
};

class Listing {
 public:
  explicit Listing(const ErrorListingRequest& request) : request_(request) {}

  Status Look(const ErrorSource& source, const ErrorLine& line) {
    Result<ErrorRecord> record = ReadErrorRecordLine(line.text);
    if (!record) return record.error();
    if (!request_.filter.Matches(line.type, record->code)) return Status();
    Count(ReasonOf(line.type, *record), source, std::move(*record));
    return Status();
  }

  void AddUnreadable(const std::string& why) { unreadable_.push_back(why); }
  void AddGone(const ErrorSource& source, std::uint64_t records) {
    if (records > 0) dead_letters_[source.open.key].gone += records;
  }

  std::string Json(const std::string& name, std::uint64_t replayed, const std::string& next) const {
    protocol::JsonWriter json;
    json.BeginObject().Key("name").String(name).Key("replayed").Number(replayed);
    json.Key("dead_letters").BeginList();
    for (const auto& [stream, counts] : dead_letters_) {
      json.BeginObject().Key("stream").String(stream).Key("records").Number(counts.records);
      json.Key("gone").Number(counts.gone).EndObject();
    }
    json.EndList();
    json.Key("reasons").BeginList();
    for (const auto& [key, reason] : reasons_) {
      const auto& [type, code, message] = key;
      json.BeginObject().Key("type").String(type).Key("code").String(code).Key("message").String(message);
      json.Key("records").Number(reason.records).Key("objects").Number(reason.objects);
      json.Key("dead_letters").Number(reason.dead_letters);
      json.Key("first_ms").Number(reason.first_ms).Key("last_ms").Number(reason.last_ms);
      json.Key("samples").BeginList();
      for (const ErrorRecord& sample : reason.samples) WriteSample(sample, json);
      json.EndList().EndObject();
    }
    json.EndList().Key("unreadable").BeginList();
    for (const std::string& why : unreadable_) json.String(Utf8Text(why));
    json.EndList().Key("next").String(next).EndObject();
    return json.text();
  }

 private:
  Reason& ReasonOf(std::string_view type, const ErrorRecord& record) {
    std::string message = Generalized(record.message);
    const bool known = reasons_.contains({std::string(type), record.code, message});
    if (!known && reasons_.size() >= kReasonsMax) message = kFurther;
    return reasons_[{std::string(type), record.code, std::move(message)}];
  }

  void Count(Reason& reason, const ErrorSource& source, ErrorRecord record) {
    ++reason.records;
    if (source.open.shard) {
      ++reason.dead_letters;
      ++dead_letters_[source.open.key].records;
    } else if (std::exchange(reason.last_object, &source) != &source) {
      ++reason.objects;
    }
    reason.first_ms = reason.records == 1 ? record.attempt_ms : std::min(reason.first_ms, record.attempt_ms);
    reason.last_ms = std::max(reason.last_ms, record.attempt_ms);
    if (reason.samples.size() >= std::min(request_.samples, kSamplesMax) || sample_bytes_ >= kPageSampleBytes) return;
    sample_bytes_ += std::min(record.raw.size(), kSampleBytesMax);
    reason.samples.push_back(std::move(record));
  }

  static void WriteSample(const ErrorRecord& sample, protocol::JsonWriter& json) {
    json.BeginObject().Key("shard").Number(sample.place.shard.value).Key("offset").Number(sample.place.offset.value);
    if (sample.place.sub_sequence) json.Key("sub_sequence").Number(*sample.place.sub_sequence);
    json.Key("arrival_ms").Number(sample.arrival_ms).Key("bytes").Number(sample.raw.size());
    json.Key("data").Base64(std::string_view(sample.raw).substr(0, kSampleBytesMax)).EndObject();
  }

  const ErrorListingRequest& request_;
  std::map<std::tuple<std::string, std::string, std::string>, Reason> reasons_;  // by type, code and message
  std::map<std::string, DeadLetterCounts> dead_letters_;                         // by stream
  std::vector<std::string> unreadable_;                                          // why places could not be read
  std::uint64_t sample_bytes_ = 0;
};

/// Every key may be missing, and so may all of it.
template <typename T, typename Read>
Result<T> ReadRequest(std::string_view json, Read read) {
  T request;
  if (json.empty()) return request;
  const Result<ConfigNode> tree = ParseJsonTree(json, "the request");
  if (!tree) return Error(Code::kInvalidArgument, tree.error().message());
  StateReader reader(*tree, "the request");
  if (reader.Has("reason")) request.filter.reason = reader.String("reason");
  if (reader.Has("since_ms")) request.filter.since_ms = reader.I64("since_ms");
  read(reader, request);
  if (!reader.ok()) return Error(Code::kInvalidArgument, reader.status().message());
  return request;
}

}  // namespace

Result<ErrorListingRequest> ErrorListingRequestFromJson(std::string_view json) {
  return ReadRequest<ErrorListingRequest>(json, [](StateReader& reader, ErrorListingRequest& request) {
    if (reader.Has("samples")) request.samples = reader.U64("samples");
    if (reader.Has("from")) request.from = reader.String("from");
  });
}

Result<ReplayCall> ReplayCallFromJson(std::string_view json) {
  return ReadRequest<ReplayCall>(json, [](StateReader& reader, ReplayCall& call) {
    if (reader.Has("up_to")) call.filter.seq_max = reader.U64("up_to");
    if (reader.Has("number")) call.number = reader.U64("number");
  });
}

Result<std::string> ListErrors(ErrorReader& reader, const std::string& name, const std::vector<LedgerEntry>& ledger,
                               const ErrorListingRequest& request) {
  const std::vector<ErrorSource> all = ErrorSources(ledger, request.filter);
  auto source = request.from.empty() ? all.begin() : std::ranges::find(all, request.from, &ErrorSource::id);
  if (source == all.end() && !request.from.empty())
    return Error(Code::kInvalidArgument, fmt::format("'{}' is no place in the error output", request.from));
  Listing listing(request);
  std::uint64_t replayed = 0;
  for (int places = 0; source != all.end() && reader.bytes_read() < kPageBytes && places < kPagePlacesMax; ++source) {
    replayed += source->replayed;
    if (source->open.lines.empty()) continue;
    ++places;
    const Result<std::uint64_t> gone =
        reader.Read(source->open, [&](const ErrorLine& line) { return listing.Look(*source, line); });
    if (gone) {
      listing.AddGone(*source, *gone);
    } else if (IsUnreadable(gone.error())) {
      listing.AddUnreadable(gone.error().message());
    } else {
      return Error(gone.error());
    }
  }
  return listing.Json(name, replayed, source == all.end() ? "" : source->id());
}

}  // namespace sluice::delivery

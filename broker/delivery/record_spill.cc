// Buffers, chunks, and the way back.
#include "broker/delivery/record_spill.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "broker/delivery/state_reader.h"
#include "protocol/check.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {
namespace {

constexpr std::size_t kRecordsAtOnce = 1024;

struct RecordHeader {
  std::uint64_t offset = 0;
  std::int64_t append_time_ms = 0;
  std::uint64_t sub_sequence = 0;
  std::uint32_t shard = 0;
  std::uint32_t value_bytes = 0;
  std::uint32_t key_bytes = 0;
  std::uint32_t source_bytes = 0;
  std::uint32_t has_sub_sequence = 0;
  std::uint32_t has_source = 0;  // else the value is it
};

std::string_view Take(std::string_view& bytes, std::size_t size) {
  SLUICE_CHECK(bytes.size() >= size);  // the checksum was right
  const std::string_view taken = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return taken;
}

/// Without its directory, as that may be moved.
std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

WorkRecord TakeRecord(std::string_view& bytes) {
  RecordHeader header;
  std::memcpy(&header, Take(bytes, sizeof(header)).data(), sizeof(header));
  WorkRecord work;
  RecordRef& record = work.record;
  record.value = Take(bytes, header.value_bytes);
  record.key = Take(bytes, header.key_bytes);
  record.shard = ShardIndex(header.shard);
  record.offset = Offset(header.offset);
  record.append_time_ms = header.append_time_ms;
  if (header.has_sub_sequence != 0) record.sub_sequence = header.sub_sequence;
  const std::string_view source = Take(bytes, header.source_bytes);
  work.source = header.has_source != 0 ? source : record.value;
  return work;
}

void WriteStream(const SpillStream& stream, protocol::JsonWriter& json) {
  json.BeginObject().Key("error_type").String(stream.name.error_type).Key("values").BeginList();
  for (const std::string& value : stream.name.values) json.String(value);
  json.EndList().Key("part").Number(stream.name.part).Key("oldest_ms").Number(stream.oldest_ms);
  json.Key("records").Number(stream.records).Key("bytes").Number(stream.bytes).Key("chunks").BeginList();
  for (const SpillChunk& chunk : stream.chunks) {
    json.BeginObject().Key("offset").Number(chunk.offset).Key("bytes").Number(chunk.bytes);
    json.Key("checksum").Number(chunk.checksum).EndObject();
  }
  json.EndList().EndObject();
}

SpillStream ReadStream(StateReader& reader) {
  SpillStream stream;
  stream.name.error_type = reader.String("error_type");
  for (const ConfigNode& value : reader.List("values")) stream.name.values.push_back(value.text);
  stream.name.part = reader.U64("part");
  stream.oldest_ms = reader.I64("oldest_ms");
  stream.records = reader.U64("records");
  stream.bytes = reader.U64("bytes");
  for (const ConfigNode& item : reader.List("chunks")) {
    StateReader chunk(item, "a chunk");
    stream.chunks.push_back({chunk.U64("offset"), chunk.U64("bytes"), chunk.U64("checksum")});
    reader.Keep(chunk.status());
  }
  return stream;
}

std::string IndexToJson(const std::vector<SpillStream>& streams, const SpillCounts& counts) {
  protocol::JsonWriter json;
  json.BeginObject().Key("records").Number(counts.records).Key("user_records").Number(counts.user_records);
  json.Key("filtered").Number(counts.filtered).Key("bytes_in").Number(counts.bytes_in).Key("streams").BeginList();
  for (const SpillStream& stream : streams) WriteStream(stream, json);
  json.EndList().EndObject();
  return json.text();
}

Status IndexFromJson(std::string_view text, std::vector<SpillStream>& streams, SpillCounts& counts) {
  const Result<ConfigNode> tree = ParseJsonTree(text, "processed records");
  if (!tree) return Status(Code::kCorruption, tree.error().message());
  StateReader reader(*tree, "the processed records");
  counts = {.records = reader.U64("records"),
            .user_records = reader.U64("user_records"),
            .filtered = reader.U64("filtered"),
            .bytes_in = reader.U64("bytes_in")};
  for (const ConfigNode& item : reader.List("streams")) {
    StateReader stream(item, "a stream of processed records");
    streams.push_back(ReadStream(stream));
    reader.Keep(stream.status());
  }
  return reader.ok() ? Status() : reader.status();
}

}  // namespace

RecordSpill::RecordSpill(storage::Env& env, broker::KeyProvider* keys, std::string path, std::uint64_t memory_max)
    : env_(env), keys_(keys), path_(std::move(path)), memory_max_(memory_max) {}

RecordSpill::~RecordSpill() {
  if (file_ != nullptr && !sealed_) (void)env_.Remove(path_);
}

std::size_t RecordSpill::NewStream(SpillName name) {
  streams_.push_back({.name = std::move(name)});
  buffers_.emplace_back();
  return streams_.size() - 1;
}

Status RecordSpill::Append(std::size_t stream, const RecordRef& record, std::string_view source) {
  SLUICE_CHECK(!sealed_);
  const bool own_source = source.data() != record.value.data() || source.size() != record.value.size();
  const RecordHeader header{.offset = record.offset.value,
                            .append_time_ms = record.append_time_ms,
                            .sub_sequence = record.sub_sequence.value_or(0),
                            .shard = record.shard.value,
                            .value_bytes = static_cast<std::uint32_t>(record.value.size()),
                            .key_bytes = static_cast<std::uint32_t>(record.key.size()),
                            .source_bytes = own_source ? static_cast<std::uint32_t>(source.size()) : 0,
                            .has_sub_sequence = record.sub_sequence.has_value(),
                            .has_source = own_source};
  std::string& buffer = buffers_[stream];
  const std::size_t before = buffer.size();
  buffer.append(reinterpret_cast<const char*>(&header), sizeof(header)).append(record.value).append(record.key);
  if (own_source) buffer.append(source);
  buffered_ += buffer.size() - before;
  SpillStream& counted = streams_[stream];
  if (counted.records == 0 || record.append_time_ms < counted.oldest_ms) counted.oldest_ms = record.append_time_ms;
  ++counted.records;
  counted.bytes += record.value.size();
  return buffered_ < memory_max_ ? Status() : Flush();
}

Status RecordSpill::OpenFile() {
  if (file_ != nullptr) return Status();
  const std::string dir = path_.substr(0, path_.rfind('/'));
  if (Status status = env_.MakeDirs(dir); !status.ok()) return status;
  if (Status status = env_.Remove(path_); !status.ok() && status.code() != Code::kNotFound) return status;
  if (keys_ != nullptr) {
    Result<SpillCipher> cipher = SpillCipher::New();
    if (!cipher) return cipher.error();
    cipher_.emplace(std::move(*cipher));
  }
  Result<std::unique_ptr<storage::File>> file = env_.Open(path_, storage::OpenMode::kCreate);
  if (!file) return file.error();
  file_ = std::move(*file);
  return Status();
}

/// Makes of `bytes` what is to be written at `offset`.
SpillChunk RecordSpill::Place(std::uint64_t offset, std::string& bytes) const {
  if (cipher_) bytes = cipher_->Seal(offset, bytes);
  return {offset, bytes.size(), XXH3_64bits(bytes.data(), bytes.size())};
}

Status RecordSpill::Flush() {
  if (Status status = OpenFile(); !status.ok()) return status.WithContext("setting records aside");
  std::vector<std::string_view> pieces;
  std::uint64_t end = end_;
  for (std::size_t i = 0; i < buffers_.size(); ++i) {
    std::string& bytes = buffers_[i];
    if (bytes.empty()) continue;
    streams_[i].chunks.push_back(Place(end, bytes));
    pieces.push_back(bytes);
    end += bytes.size();
  }
  if (Status status = file_->Write(end_, pieces); !status.ok()) return status.WithContext("setting records aside");
  end_ = end;
  for (std::string& bytes : buffers_) bytes = {};
  buffered_ = 0;
  return Status();
}

Status RecordSpill::Read(std::size_t stream, const Visitor& visitor) {
  for (const SpillChunk& chunk : streams_[stream].chunks) {
    const Result<std::string> bytes = ReadChunk(chunk);
    if (!bytes) return bytes.error().WithContext("reading what was set aside");
    if (Status status = Visit(*bytes, visitor); !status.ok()) return status;
  }
  return Visit(buffers_[stream], visitor);
}

Result<std::string> RecordSpill::ReadChunk(const SpillChunk& chunk) const {
  std::string bytes(chunk.bytes, '\0');
  const Result<std::size_t> got = file_->Read(chunk.offset, bytes);
  if (!got) return Error(got.error());
  if (*got != bytes.size() || XXH3_64bits(bytes.data(), bytes.size()) != chunk.checksum)
    return Error(Code::kCorruption, fmt::format("'{}' does not hold what was written to it", path_));
  return cipher_ ? cipher_->Open(chunk.offset, bytes) : Result<std::string>(std::move(bytes));
}

Status RecordSpill::Visit(std::string_view bytes, const Visitor& visitor) {
  while (!bytes.empty()) {
    records_.clear();
    work_.clear();
    while (!bytes.empty() && work_.size() < kRecordsAtOnce) {
      work_.push_back(TakeRecord(bytes));
      records_.push_back(work_.back().record);
    }
    if (Status status = visitor(records_, work_); !status.ok()) return status;
  }
  return Status();
}

Result<SpillSeal> RecordSpill::Seal(const SpillCounts& counts) {
  if (Status status = Flush(); !status.ok()) return Error(std::move(status));
  std::string index = IndexToJson(streams_, counts);
  const SpillChunk chunk = Place(end_, index);
  SpillSeal seal{chunk.offset, chunk.bytes, chunk.checksum};
  if (cipher_) {
    Result<WrappedSpillKey> wrapped = cipher_->Wrap(*keys_, NameOf(path_));
    if (!wrapped) return Error(wrapped.error());
    seal.key = std::move(*wrapped);
  }
  Status status = file_->Write(end_, index);
  if (status.ok()) status = file_->Sync();
  if (status.ok()) status = env_.SyncDir(path_.substr(0, path_.rfind('/')));
  if (!status.ok()) return Error(status.WithContext("setting processed records aside"));
  sealed_ = true;
  return seal;
}

Result<std::unique_ptr<RecordSpill>> RecordSpill::Reopen(storage::Env& env, broker::KeyProvider* keys, std::string path,
                                                         const SpillSeal& seal, SpillCounts& counts) {
  auto spill = std::make_unique<RecordSpill>(env, keys, std::move(path), 0);
  spill->sealed_ = true;
  if (seal.key && keys == nullptr) {
    return Error(Code::kNotFound, fmt::format("'{}' is encrypted by the master key '{}', and there is no key file: set "
                                              "encryption.key_file to the one that has it, and restart",
                                              spill->path_, seal.key->master_key));
  }
  if (seal.key) {
    Result<SpillCipher> cipher = SpillCipher::Unwrap(*keys, NameOf(spill->path_), *seal.key);
    if (!cipher) return Error(cipher.error());
    spill->cipher_.emplace(std::move(*cipher));
  }
  Result<std::unique_ptr<storage::File>> file = env.Open(spill->path_, storage::OpenMode::kRead);
  if (!file) return Error(file.error());
  spill->file_ = std::move(*file);
  const Result<std::string> index = spill->ReadChunk({seal.index_offset, seal.index_bytes, seal.index_checksum});
  if (!index) return Error(index.error());
  if (Status status = IndexFromJson(*index, spill->streams_, counts); !status.ok()) return Error(std::move(status));
  spill->buffers_.resize(spill->streams_.size());
  return spill;
}

}  // namespace sluice::delivery

// Encodes a state, and replaces its file.
#include "tools/agent/flow_state.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "protocol/crc32c.h"
#include "protocol/hash_key.h"

namespace sluice::tools {
namespace {

constexpr std::string_view kMagic = "sluice-agent 1 ";

Status Failed(std::string_view what, const std::string& path) {
  return {errno == ENOSPC ? Code::kResourceExhausted : Code::kIoError,
          fmt::format("cannot {} {}: {}", what, path, std::strerror(errno))};
}

std::string Encode(const std::string& flow, const FlowState& state) {
  boost::json::array files;
  for (const FilePosition& position : state.files) files.push_back(ToJson(position));
  boost::json::array batches;
  for (const PreparedBatch& batch : state.batches) {
    batches.push_back({{"stream_id", batch.stream_id},
                       {"shard", batch.shard},
                       {"records", batch.records},
                       {"bytes", batch.bytes.size()}});
  }
  const std::string json =
      boost::json::serialize(boost::json::object{{"flow", flow}, {"files", files}, {"batches", batches}});
  std::string body = json + '\n';
  for (const PreparedBatch& batch : state.batches) body.append(batch.bytes);
  return fmt::format("{}{} {:08x}\n{}", kMagic, json.size(), protocol::Crc32c(body), body);
}

// Throws where a member is not there or does not fit.
FlowState DecodeJson(const boost::json::value& json, std::string_view bytes) {
  FlowState state;
  for (const boost::json::value& file : json.at("files").as_array()) {
    auto position = FilePositionFrom(file);
    if (!position) throw std::runtime_error(position.error().message());
    state.files.push_back(std::move(*position));
  }
  for (const boost::json::value& batch : json.at("batches").as_array()) {
    const auto size = batch.at("bytes").to_number<std::size_t>();
    if (size > bytes.size()) throw std::runtime_error("batches are missing");
    state.batches.push_back({.stream_id = batch.at("stream_id").to_number<std::uint32_t>(),
                             .shard = batch.at("shard").to_number<std::uint32_t>(),
                             .records = batch.at("records").to_number<std::uint32_t>(),
                             .bytes = std::string(bytes.substr(0, size))});
    bytes.remove_prefix(size);
  }
  return state;
}

Result<FlowState> Decode(std::string_view text) {
  const std::size_t line = text.find('\n');
  if (!text.starts_with(kMagic) || line == std::string_view::npos)
    return Error(Code::kCorruption, "it has no first line");
  const char* const line_end = text.data() + line;
  std::size_t json_bytes = 0;
  std::uint32_t crc32c = 0;
  const auto [blank, error] = std::from_chars(text.data() + kMagic.size(), line_end, json_bytes);
  if (error != std::errc() || blank == line_end || *blank != ' ')
    return Error(Code::kCorruption, "its first line is damaged");
  const auto [end, crc_error] = std::from_chars(blank + 1, line_end, crc32c, 16);
  const std::string_view body = text.substr(line + 1);
  if (crc_error != std::errc() || end != line_end || protocol::Crc32c(body) != crc32c || body.size() < json_bytes + 1) {
    return Error(Code::kCorruption, "its checksum does not hold");
  }
  try {
    return DecodeJson(boost::json::parse(body.substr(0, json_bytes)), body.substr(json_bytes + 1));
  } catch (const std::exception& problem) {
    return Error(Code::kCorruption, problem.what());
  }
}

Status WriteAll(int descriptor, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(descriptor) != 0) return Failed("flush", path);
  return {};
}

Status FlushDirectory(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return Failed("open", directory);
  const bool flushed = ::fsync(descriptor) == 0;
  const Status status = flushed ? Status() : Failed("flush", directory);
  ::close(descriptor);
  return status;
}

}  // namespace

FlowStateFile::FlowStateFile(const std::string& directory, std::string flow)
    : directory_(directory),
      flow_(std::move(flow)),
      path_(fmt::format("{}/flow-{:016x}.state", directory, protocol::HashPartitionKey(flow_).high)) {}

Result<std::optional<FlowState>> FlowStateFile::Read() const {
  std::error_code error;
  if (!std::filesystem::exists(path_, error) && !error) return std::nullopt;
  std::ifstream in(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in) return Error(Code::kIoError, fmt::format("cannot read {}", path_));
  auto state = Decode(text);
  if (!state) {
    return Error(Code::kCorruption,
                 fmt::format("{} is damaged ({}); remove it to begin anew, where initialPosition says", path_,
                             state.error().message()));
  }
  return std::optional(std::move(*state));
}

Status FlowStateFile::Write(const FlowState& state) const {
  const std::string next = path_ + ".new";
  const int descriptor = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return Failed("write", next);
  const Status written = WriteAll(descriptor, Encode(flow_, state), next);
  ::close(descriptor);
  if (!written.ok()) return written;
  if (::rename(next.c_str(), path_.c_str()) != 0) return Failed("replace", path_);
  return FlushDirectory(directory_);
}

Result<StateLock> StateLock::Take(const std::string& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) return Error(Code::kIoError, fmt::format("cannot make {}: {}", directory, error.message()));
  const std::string path = directory + "/lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return Error(Failed("open", path));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return Error(
        Code::kFailedPrecondition,
        fmt::format("another agent has the state in {}: stop it, or give this one a directory of its own", directory));
  }
  return StateLock(descriptor);
}

StateLock::~StateLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace sluice::tools

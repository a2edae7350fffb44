// Reading, checking and extending the file; wrapping with AES-256-GCM. What a wrapped key looks like is in
// broker/METADATA.md.
#include "broker/encryption/key_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "broker/encryption/private_file.h"
#include "protocol/base64.h"

namespace sluice::broker {
namespace {

using protocol::SecretKey;

constexpr std::uint64_t kFileBytesMax = 1u << 20;
constexpr std::size_t kNameBytesMax = 256;
constexpr std::string_view kMadeName = "key-";
constexpr std::string_view kFirstLines =
    "# Master keys of Sluice, \"NAME KEY\" a line; the first one is current (docs/config.md, \"Encryption at rest\").\n"
    "# Whoever has this file can read the encrypted streams. Without it nobody can: keep a copy in a safe place.\n";

constexpr char kWrapVersion = 1;
constexpr std::size_t kWrappedBytes = 1 + protocol::kGcmNonceBytes + protocol::kSecretKeyBytes + protocol::kGcmTagBytes;

struct MasterKey {
  std::string name;
  SecretKey key;
};

class KeyFile final : public KeyProvider {
 public:
  KeyFile(std::string path, std::vector<MasterKey> keys) : path_(std::move(path)), keys_(std::move(keys)) {}

  std::string Current() const override { return keys_.front().name; }
  bool Has(std::string_view name) const override { return Find(name) != nullptr; }

  Result<std::string> Wrap(std::string_view name, std::string_view context, const SecretKey& data_key) override {
    const SecretKey* const master = Find(name);
    if (master == nullptr) return Error(NoSuchKey(name));
    protocol::GcmNonce nonce;
    if (Status status = protocol::FillRandom(nonce); !status.ok()) return Error(std::move(status));
    std::string wrapped(kWrappedBytes, kWrapVersion);
    std::ranges::copy(nonce, wrapped.begin() + 1);
    protocol::GcmSeal({.key = *master, .nonce = nonce, .bound = context}, data_key.bytes(),
                      wrapped.data() + 1 + nonce.size());
    return wrapped;
  }

  Result<SecretKey> Unwrap(std::string_view name, std::string_view context, std::string_view wrapped) override {
    const SecretKey* const master = Find(name);
    if (master == nullptr) return Error(NoSuchKey(name));
    std::array<char, protocol::kSecretKeyBytes> bytes{};
    protocol::GcmNonce nonce;
    bool opened = wrapped.size() == kWrappedBytes && wrapped.front() == kWrapVersion;
    if (opened) {
      std::ranges::copy(wrapped.substr(1, nonce.size()), nonce.begin());
      opened = protocol::GcmOpen({.key = *master, .nonce = nonce, .bound = context}, wrapped.substr(1 + nonce.size()),
                                 bytes.data());
    }
    if (!opened) {
      return Error(Code::kCorruption,
                   fmt::format("the key '{}' in {} is not the one that wrapped it, or the wrapped "
                               "bytes are damaged; put back the key file that has the right one, and "
                               "restart the broker",
                               name, path_));
    }
    SecretKey data_key = SecretKey::FromBytes({bytes.data(), bytes.size()});
    protocol::Wipe(bytes);
    return data_key;
  }

 private:
  const SecretKey* Find(std::string_view name) const {
    const auto found = std::ranges::find(keys_, name, &MasterKey::name);
    return found == keys_.end() ? nullptr : &found->key;
  }
  Status NoSuchKey(std::string_view name) const {
    return Status(Code::kNotFound,
                  fmt::format("{} has no key '{}'; put it back into the file and restart the broker", path_, name));
  }

  const std::string path_;
  const std::vector<MasterKey> keys_;  // at least one
};

Status Problem(const std::string& path, std::size_t line, std::string_view what) {
  return Status(Code::kInvalidArgument, fmt::format("{}:{}: {}", path, line, what));
}

/// One line that is not empty and no comment; `line` is its number.
Result<MasterKey> ParseKey(const std::string& path, std::size_t line, std::string_view text) {
  const std::size_t blank = text.find(' ');
  const std::string_view name = text.substr(0, blank);
  if (blank == text.npos || name.empty()) {
    return Error(
        Problem(path, line, "a line is \"NAME KEY\", with one blank between them; 'sluice key new' writes one"));
  }
  const auto printable = [](char c) { return c > ' ' && c <= '~'; };
  if (name.size() > kNameBytesMax || !std::ranges::all_of(name, printable)) {
    return Error(
        Problem(path, line, fmt::format("a key's name has 1 to {} printable characters and no blank", kNameBytesMax)));
  }
  auto bytes = protocol::DecodeBase64(text.substr(blank + 1));
  if (!bytes || bytes->size() != protocol::kSecretKeyBytes) {
    return Error(Problem(path, line,
                         fmt::format("the key '{}' is not {} bytes in base64, which have 44 characters; "
                                     "'openssl rand -base64 32' makes such bytes",
                                     name, protocol::kSecretKeyBytes)));
  }
  MasterKey key{std::string(name), SecretKey::FromBytes(*bytes)};
  protocol::Wipe(*bytes);
  return key;
}

Result<std::vector<MasterKey>> ParseKeys(const std::string& path, std::string_view text) {
  std::vector<MasterKey> keys;
  for (std::size_t line = 1; !text.empty(); ++line) {
    std::string_view one = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(one.size() + 1, text.size()));
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (one.empty() || one.front() == '#') continue;
    auto key = ParseKey(path, line, one);
    if (!key) return Error(key.error());
    if (std::ranges::find(keys, key->name, &MasterKey::name) != keys.end()) {
      return Error(Problem(path, line, fmt::format("the key '{}' is there twice; remove one", key->name)));
    }
    keys.push_back(std::move(*key));
  }
  return keys;
}

/// One above the largest number of a name that AddKey has made.
std::string NextName(const std::vector<MasterKey>& keys) {
  std::uint32_t largest = 0;
  for (const MasterKey& key : keys) {
    const std::string_view digits = std::string_view(key.name).substr(std::min(kMadeName.size(), key.name.size()));
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool made = key.name.starts_with(kMadeName) && error == std::errc() && end == digits.data() + digits.size();
    if (made) largest = std::max(largest, number);
  }
  return fmt::format("{}{}", kMadeName, largest + 1);
}

/// In front of the first line that has a key.
std::size_t PlaceOfFirstKey(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const bool blank = text[at] == '#' || text[at] == '\n' || text[at] == '\r';
    if (!blank) return at;
    at = end + 1;
  }
  return text.size();
}

/// The whole file or, after a crash, the old one.
Status ReplaceFile(storage::Env& env, const std::string& path, std::string_view text) {
  const std::string made = path + ".new";
  auto file = env.Open(made, storage::OpenMode::kCreate);
  if (!file) return file.error().WithContext("an earlier attempt may have left it: remove it and try again");
  Status status = (*file)->Write(0, text);
  if (status.ok()) status = (*file)->Sync();
  if (status.ok()) status = env.Rename(made, path);
  const std::size_t slash = path.rfind('/');
  if (status.ok()) status = env.SyncDir(slash == path.npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1)));
  return status;
}

}  // namespace

Result<std::unique_ptr<KeyProvider>> OpenKeyFile(storage::Env& env, const std::string& path) {
  auto text = ReadPrivateFile(env, path, kFileBytesMax);
  if (!text) {
    if (text.error().code() != Code::kNotFound) return Error(text.error());
    return Error(Code::kNotFound,
                 fmt::format("{} does not exist; put it there, or make one with 'sluice key new {}'", path, path));
  }
  auto keys = ParseKeys(path, *text);
  protocol::Wipe(*text);
  if (!keys) return Error(keys.error());
  if (keys->empty()) {
    return Error(Code::kInvalidArgument, fmt::format("{} has no key; add one with 'sluice key new {}'", path, path));
  }
  return std::make_unique<KeyFile>(path, std::move(*keys));
}

Result<std::string> AddKey(storage::Env& env, const std::string& path) {
  auto text = ReadPrivateFile(env, path, kFileBytesMax);
  if (!text && text.error().code() != Code::kNotFound) return Error(text.error());
  std::string content = text ? std::move(*text) : std::string(kFirstLines);
  if (!content.empty() && content.back() != '\n') content.push_back('\n');
  const auto keys = ParseKeys(path, content);
  if (!keys) return Error(keys.error());
  const auto key = SecretKey::Random();
  if (!key) return Error(key.error());
  const std::string name = NextName(*keys);
  std::string line = fmt::format("{} {}\n", name, protocol::EncodeBase64(key->bytes()));
  content.insert(PlaceOfFirstKey(content), line);
  Status status = ReplaceFile(env, path, content);
  protocol::Wipe(content);
  protocol::Wipe(line);
  if (!status.ok()) return Error(std::move(status));
  return name;
}

}  // namespace sluice::broker

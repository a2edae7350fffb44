// The key file: what is read, what is refused with which words, and how keys are added.
#include "broker/encryption/key_file.h"

#include <sys/stat.h>

#include <fstream>

#include "storage/env/memory_env.h"
#include "storage/env/posix_env.h"
#include "tests/catch.h"
#include "tests/storage/env/temp_dir.h"

namespace sluice::broker {
namespace {

constexpr std::string_view kKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

Result<std::unique_ptr<KeyProvider>> OpenText(std::string_view text) {
  storage::MemoryEnv env;
  env.WriteByHand("/keys", text);
  return OpenKeyFile(env, "/keys");
}

std::string ErrorOf(std::string_view text) {
  const auto opened = OpenText(text);
  REQUIRE(!opened.has_value());
  CHECK(opened.error().code() == Code::kInvalidArgument);
  return opened.error().message();
}

TEST_CASE("OpenKeyFile: comments, empty lines, and the first key is current", "[encryption]") {
  const std::string text = "# words\n\nalias/a " + std::string(kKey) + "\r\n  \n";
  CHECK(ErrorOf(text) == "/keys:4: a line is \"NAME KEY\", with one blank between them; 'sluice key new' writes one");
  const auto keys = OpenText("# words\n\nalias/a " + std::string(kKey) + "\r\n#\nb " + std::string(kKey));
  REQUIRE(keys.has_value());
  CHECK((*keys)->Current() == "alias/a");
  CHECK((*keys)->Has("b"));
  CHECK(!(*keys)->Has("c"));
}

TEST_CASE("OpenKeyFile: names the file, the line and what to do", "[encryption]") {
  CHECK(ErrorOf("") == "/keys has no key; add one with 'sluice key new /keys'");
  CHECK(ErrorOf("# nothing\n") == "/keys has no key; add one with 'sluice key new /keys'");
  CHECK(
      ErrorOf("#\na AAEC\n") ==
      "/keys:2: the key 'a' is not 32 bytes in base64, which have 44 characters; 'openssl rand -base64 32' makes such "
      "bytes");
  CHECK(ErrorOf("a  " + std::string(kKey)).starts_with("/keys:1: the key 'a' is not 32 bytes"));
  CHECK(ErrorOf(std::string(kKey)) ==
        "/keys:1: a line is \"NAME KEY\", with one blank between them; 'sluice key new' writes one");
  CHECK(ErrorOf(std::string(257, 'n') + " " + std::string(kKey)) ==
        "/keys:1: a key's name has 1 to 256 printable characters and no blank");
  CHECK(ErrorOf("a " + std::string(kKey) + "\na " + std::string(kKey)) ==
        "/keys:2: the key 'a' is there twice; remove one");
  CHECK(ErrorOf(std::string((1u << 20) + 1, '#')).starts_with("/keys has 1048577 bytes"));
  storage::MemoryEnv env;
  CHECK(OpenKeyFile(env, "/none").error() ==
        Status(Code::kNotFound, "/none does not exist; put it there, or make one with 'sluice key new /none'"));
}

TEST_CASE("OpenKeyFile: refuses a file that others may read or change", "[encryption]") {
  const storage::TempDir temp;
  const auto env = storage::NewPosixEnv();
  const std::string path = temp.path() + "/keys";
  std::ofstream(path) << "a " << kKey << "\n";
  for (const int good : {0600, 0640, 0400}) {
    REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(good)) == 0);
    CHECK(OpenKeyFile(*env, path).has_value());
  }
  for (const int bad : {0644, 0660, 0604, 0602, 0601}) {
    REQUIRE(::chmod(path.c_str(), static_cast<mode_t>(bad)) == 0);
    const auto refused = OpenKeyFile(*env, path);
    REQUIRE(!refused.has_value());
    CHECK(refused.error() == Status(Code::kFailedPrecondition,
                                    path + " may be read by everybody, or changed by others than its owner; run 'chmod "
                                           "640' or 'chmod 600' on it"));
  }
}

TEST_CASE("KeyProvider Unwrap: what was wrapped with this key for this context, and nothing else", "[encryption]") {
  const auto keys =
      std::move(*OpenText("a " + std::string(kKey) + "\nb //79/Pv6+fj39vX08/Lx8O/u7ezr6uno5+bl5OPi4eA=\n"));
  const protocol::SecretKey secret = protocol::SecretKey::FromBytes(std::string(32, 's'));
  const auto wrapped = keys->Wrap("a", "here", secret);
  REQUIRE(wrapped.has_value());
  CHECK(wrapped->find("ssss") == std::string::npos);
  CHECK(keys->Wrap("a", "here", secret) != wrapped);  // another nonce
  CHECK(keys->Unwrap("a", "here", *wrapped)->bytes() == secret.bytes());
  CHECK(keys->Unwrap("b", "here", *wrapped).error().code() == Code::kCorruption);
  CHECK(keys->Unwrap("a", "there", *wrapped).error().code() == Code::kCorruption);
  CHECK(keys->Unwrap("c", "here", *wrapped).error().code() == Code::kNotFound);
  CHECK(keys->Wrap("c", "here", secret).error().code() == Code::kNotFound);
  for (std::size_t at = 0; at < wrapped->size(); ++at) {
    std::string changed = *wrapped;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    CHECK(keys->Unwrap("a", "here", changed).error().code() == Code::kCorruption);
  }
  CHECK(keys->Unwrap("a", "here", wrapped->substr(1)).error().code() == Code::kCorruption);
  CHECK(keys->Unwrap("a", "here", "").error().code() == Code::kCorruption);
}

TEST_CASE("AddKey: makes the file, then puts each new key in front", "[encryption]") {
  storage::MemoryEnv env;
  CHECK(AddKey(env, "/keys") == "key-1");
  CHECK(env.ReadByHand("/keys").starts_with("# Master keys of Sluice"));
  const auto first = std::move(*OpenKeyFile(env, "/keys"));
  const auto wrapped = *first->Wrap("key-1", "", protocol::SecretKey::FromBytes(std::string(32, 's')));
  env.WriteByHand("/keys", env.ReadByHand("/keys") + "own " + std::string(kKey));
  CHECK(AddKey(env, "/keys") == "key-2");
  env.Crash();  // it is durable
  const auto keys = std::move(*OpenKeyFile(env, "/keys"));
  CHECK(keys->Current() == "key-2");
  CHECK(keys->Has("own"));
  CHECK(keys->Unwrap("key-1", "", wrapped).has_value());
  CHECK(keys->Unwrap("key-2", "", wrapped).error().code() == Code::kCorruption);
}

TEST_CASE("AddKey: a failing disk leaves the file as it was", "[encryption]") {
  using Call = storage::MemoryEnv::Call;
  for (int nth = 1;; ++nth) {
    storage::MemoryEnv env;
    REQUIRE(AddKey(env, "/keys").has_value());
    const std::string before = env.ReadByHand("/keys");
    env.FailCall(Call::kAny, nth);
    const auto added = AddKey(env, "/keys");
    if (env.failures() == 0) break;
    CHECK(!added.has_value());
    env.Crash();
    const auto keys = OpenKeyFile(env, "/keys");
    REQUIRE(keys.has_value());
    CHECK((*keys)->Has("key-1"));
  }
}

TEST_CASE("AddKey: refuses to touch a file that is damaged or open to others", "[encryption]") {
  storage::MemoryEnv env;
  env.WriteByHand("/keys", "damaged");
  CHECK(AddKey(env, "/keys").error().code() == Code::kInvalidArgument);
  CHECK(env.ReadByHand("/keys") == "damaged");
}

}  // namespace
}  // namespace sluice::broker

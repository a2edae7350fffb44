// Files that stand for secrets, and their members.
#include "broker/delivery/secret_provider.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "broker/delivery/config_document.h"
#include "broker/encryption/private_file.h"
#include "protocol/ascii.h"

namespace sluice::delivery {
namespace {

constexpr std::uint64_t kSecretBytesMax = 64u << 10;  // as AWS
constexpr std::string_view kService = ":secretsmanager:";
constexpr std::string_view kSecret = ":secret:";
constexpr std::size_t kSuffixBytes = 7;  // "-a1b2c3", which AWS puts behind a name

/// Empty where it is no ARN of a secret.
std::string_view NameOf(std::string_view arn) {
  if (!arn.starts_with("arn:")) return arn;
  const std::size_t at = arn.find(kSecret);
  return at == arn.npos || !arn.substr(0, at).contains(kService) ? "" : arn.substr(at + kSecret.size());
}

/// Without AWS's suffix; empty where it has none.
std::string_view WithoutSuffix(std::string_view name) {
  if (name.size() <= kSuffixBytes) return "";
  const std::string_view suffix = name.substr(name.size() - kSuffixBytes);
  const bool has = suffix.front() == '-' && std::ranges::all_of(suffix.substr(1), protocol::IsLetterOrDigit);
  return has ? name.substr(0, name.size() - kSuffixBytes) : "";
}

class SecretFiles final : public SecretProvider {
 public:
  SecretFiles(storage::Env& env, std::string dir) : env_(env), dir_(std::move(dir)) {}

  Result<SecretText> Read(std::string_view arn) const override {
    std::vector<std::string> paths;
    for (const std::string_view name : {NameOf(arn), WithoutSuffix(NameOf(arn))}) {
      if (name.empty()) continue;
      std::string path = fmt::format("{}/{}.json", dir_, name);
      Result<std::string> text = broker::ReadPrivateFile(env_, path, kSecretBytesMax);
      if (text) return SecretText{std::move(*text), std::move(path)};
      if (text.error().code() != Code::kNotFound) return Error(text.error());
      paths.push_back(std::move(path));
    }
    return Error(Code::kNotFound, fmt::format("there is no file {}", fmt::join(paths, ", and no file ")));
  }

 private:
  storage::Env& env_;
  const std::string dir_;
};

/// {"username": "..", "password": ".."}
std::string Example(std::span<const std::string_view> members) {
  std::string example;
  for (const std::string_view member : members)
    example += fmt::format("{}\"{}\": \"..\"", example.empty() ? "" : ", ", member);
  return fmt::format("{{{}}}", example);
}

/// The text of `member`; what is wrong with it otherwise, as an error.
Result<std::string> MemberOf(const ConfigNode& secret, std::string_view member) {
  const ConfigField* const field = secret.Find(member);
  if (field == nullptr) return Error(Code::kInvalidArgument, fmt::format("has no \"{}\"", member));
  if (field->value.kind != ConfigNode::Kind::kString || field->value.text.empty())
    return Error(Code::kInvalidArgument, fmt::format("has a \"{}\" that is no text, or an empty one", member));
  if (HasControlCharacter(field->value.text)) {
    return Error(Code::kInvalidArgument,
                 fmt::format("has a line break or another control character in \"{}\"", member));
  }
  return field->value.text;
}

/// The parser's own words could quote the secret.
Result<std::vector<std::string>> MembersOf(const SecretText& secret, std::span<const std::string_view> members) {
  const auto problem = [&](std::string_view what) {
    return Error(Code::kInvalidArgument, fmt::format("{} {}; it has to be {}", secret.place, what, Example(members)));
  };
  const Result<ConfigNode> tree = ParseJsonTree(secret.text, "secret");
  if (!tree || tree->kind != ConfigNode::Kind::kMap) return problem("is no JSON object");
  std::vector<std::string> texts;
  for (const std::string_view member : members) {
    Result<std::string> text = MemberOf(*tree, member);
    if (!text) return problem(text.error().message());
    texts.push_back(std::move(*text));
  }
  return texts;
}

}  // namespace

std::unique_ptr<SecretProvider> NewSecretFiles(storage::Env& env, std::string dir) {
  return std::make_unique<SecretFiles>(env, std::move(dir));
}

bool IsSecretArn(std::string_view text) {
  std::string_view name = NameOf(text);
  const auto allowed = [](char c) { return protocol::IsLetterOrDigit(c) || std::string_view("-/_+=.@!").contains(c); };
  if (!std::ranges::all_of(name, allowed)) return false;
  while (true) {  // no part that would lead out of a folder
    const std::string_view part = name.substr(0, name.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    if (part.size() == name.size()) return true;
    name.remove_prefix(part.size() + 1);
  }
}

Result<std::vector<std::string>> ReadSecretMembers(const SecretProvider* provider, std::string_view arn,
                                                   std::span<const std::string_view> members) {
  const std::string context = fmt::format("secret '{}'", arn);
  if (provider == nullptr) {
    return Error(Code::kInvalidArgument, fmt::format("{}: there is no Secrets Manager to ask; set delivery.secrets_dir "
                                                     "to a folder in which a file {} stands for it",
                                                     context, Example(members)));
  }
  const Result<SecretText> secret = provider->Read(arn);
  if (!secret && secret.error().code() == Code::kNotFound) {
    return Error(Code::kNotFound,
                 fmt::format("{}: {}; put {} there", context, secret.error().message(), Example(members)));
  }
  if (!secret) return Error(secret.error().WithContext(context));
  Result<std::vector<std::string>> texts = MembersOf(*secret, members);
  if (!texts) return Error(texts.error().WithContext(context));
  return texts;
}

bool HasControlCharacter(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

std::string WithoutSecret(std::string message, std::string_view secret) {
  constexpr std::string_view kHidden = "***";
  if (secret.empty()) return message;
  for (std::size_t at = message.find(secret); at != message.npos; at = message.find(secret, at + kHidden.size()))
    message.replace(at, secret.size(), kHidden);
  return message;
}

}  // namespace sluice::delivery

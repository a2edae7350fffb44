// A policy is read anew for each judgement: it is short, and few streams have one.
#include "broker/api/kinesis/resource_policy.h"

#include <fmt/format.h>

#include <optional>

#include "broker/api/kinesis/errors.h"
#include "protocol/ascii.h"
#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::kinesis {

using protocol::aws::ApiError;
using protocol::aws::Document;
using protocol::aws::Kind;
using protocol::aws::Value;

namespace {

ApiError PolicyError(std::string_view what) {
  return InvalidArgument(fmt::format("Policy validation error: {}", what));
}

/// The text and the bytes behind it that the reader looks at.
class PolicyText {
 public:
  explicit PolicyText(std::string_view json) : size_(json.size()), padded_(json) {
    padded_.append(Document::kPaddingBytes, '\0');
  }
  bool Read(Document& document) const { return document.ReadJson(std::string_view(padded_).substr(0, size_)).ok(); }

 private:
  std::size_t size_;
  std::string padded_;
};

/// False where there is a null, which no policy has.
bool Copy(Value value, protocol::aws::Writer& writer) {
  switch (value.kind()) {
    case Kind::kMap: {
      writer.BeginMap();
      for (const auto [name, child] : value.children()) {
        if (!Copy(child, writer.Name(name))) return false;
      }
      writer.EndMap();
      return true;
    }
    case Kind::kList: {
      writer.BeginList();
      for (const auto [unnamed, child] : value.children()) {
        if (!Copy(child, writer)) return false;
      }
      writer.EndList();
      return true;
    }
    case Kind::kText:
      writer.Text(value.text());
      return true;
    case Kind::kInteger:
      writer.Integer(value.integer());
      return true;
    case Kind::kReal:
      writer.Real(value.real());
      return true;
    case Kind::kBoolean:
      writer.Boolean(value.boolean());
      return true;
    case Kind::kNull:
    case Kind::kBytes:
    case Kind::kTimestamp:
      break;
  }
  return false;
}

/// Calls `each` for a value, or for every element of a list, until it returns true; whether it did.
template <typename Each>
bool AnyOf(Value value, const Each& each) {
  if (value.kind() != Kind::kList) return each(value);
  for (const auto [unnamed, child] : value.children()) {
    if (each(child)) return true;
  }
  return false;
}

/// * stands for any text, ? for one character. Letters are compared by `same`.
bool MatchesGlob(std::string_view text, std::string_view glob, bool (*same)(char, char)) {
  std::size_t at = 0;
  std::size_t place = 0;
  std::size_t star = glob.npos;  // the last one, and how much of the text it has taken
  std::size_t taken = 0;
  while (at < text.size()) {
    if (place < glob.size() && glob[place] == '*') {
      star = place++;
      taken = at;
    } else if (place < glob.size() && (glob[place] == '?' || same(text[at], glob[place]))) {
      ++at;
      ++place;
    } else if (star != glob.npos) {
      place = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return glob.find_first_not_of('*', place) == glob.npos;
}

bool Exactly(char a, char b) { return a == b; }
bool InAnyCase(char a, char b) { return protocol::Lower(a) == protocol::Lower(b); }

bool IsText(Value value) { return value.kind() == Kind::kText; }

/// "*", {"AWS": ..}: whether the caller is among them.
bool NamesCaller(Value principal, const aws::Caller& caller) {
  if (IsText(principal)) return principal.text() == "*";
  const auto names = principal.kind() == Kind::kMap ? principal.Find("AWS") : std::nullopt;
  if (!names) return false;
  return AnyOf(*names, [&](Value name) {
    if (!IsText(name)) return false;
    std::string_view text = name.text();
    if (text == "*" || text == caller.account) return true;
    const std::size_t iam = text.find(":iam::");
    if (!text.starts_with("arn:") || iam == text.npos) return false;
    text.remove_prefix(iam + std::string_view(":iam::").size());
    if (!text.starts_with(caller.account)) return false;
    text.remove_prefix(caller.account.size());
    return text == ":root" || (!caller.access_key.empty() && text == ":user/" + caller.access_key);
  });
}

bool NamesOperation(Value action, std::string_view operation) {
  const std::string name = fmt::format("kinesis:{}", operation);
  return AnyOf(action, [&](Value one) { return IsText(one) && MatchesGlob(name, one.text(), InAnyCase); });
}

std::optional<ApiError> CheckStatement(Value statement, std::string_view resource) {
  if (statement.kind() != Kind::kMap) return PolicyError("a Statement is an object");
  for (const std::string_view name : {"Condition", "NotPrincipal", "NotAction", "NotResource"}) {
    if (!statement.Find(name)) continue;
    return PolicyError(fmt::format("{} is not supported here, as it would not be enforced", name));
  }
  for (const std::string_view name : {"Effect", "Principal", "Action", "Resource"}) {
    if (!statement.Find(name)) return PolicyError(fmt::format("a Statement has no {}", name));
  }
  const Value effect = *statement.Find("Effect");
  if (!IsText(effect) || (effect.text() != "Allow" && effect.text() != "Deny")) {
    return PolicyError("Effect is neither Allow nor Deny");
  }
  const bool other = AnyOf(*statement.Find("Resource"),
                           [&](Value one) { return !IsText(one) || !MatchesGlob(resource, one.text(), Exactly); });
  if (other) return PolicyError(fmt::format("a Resource does not name {}", resource));
  return std::nullopt;
}

}  // namespace

ApiResult<std::string> CheckedPolicy(std::string_view json, std::string_view resource) {
  if (json.size() > kPolicyBytesMax) {
    return std::unexpected(
        PolicyError(fmt::format("the policy has {} bytes, and may have {}", json.size(), kPolicyBytesMax)));
  }
  const PolicyText text(json);
  Document document;
  if (!text.Read(document) || document.root().kind() != Kind::kMap) {
    return std::unexpected(PolicyError("This policy contains invalid Json"));
  }
  const auto statements = document.root().Find("Statement");
  if (!statements) return std::unexpected(PolicyError("the policy has no Statement"));
  std::optional<ApiError> wrong;
  AnyOf(*statements, [&](Value statement) {
    wrong = CheckStatement(statement, resource);
    return wrong.has_value();
  });
  if (wrong) return std::unexpected(std::move(*wrong));
  const auto writer = protocol::aws::Writer::New(protocol::aws::Encoding::kJson);
  if (!Copy(document.root(), *writer)) return std::unexpected(PolicyError("null is no part of a policy"));
  return writer->Take();
}

std::string* PolicyIn(StreamInfo& stream, const std::string& consumer) {
  if (consumer.empty()) return &stream.kinesis.policy;
  const auto found = stream.kinesis.consumers.find(consumer);
  return found == stream.kinesis.consumers.end() ? nullptr : &found->second.policy;
}

Verdict JudgePolicy(std::string_view policy, const aws::Caller& caller, std::string_view operation) {
  const PolicyText text(policy);
  Document document;
  if (!text.Read(document)) return Verdict::kDeny;  // never: it was checked
  Verdict verdict = Verdict::kSilent;
  AnyOf(*document.root().Find("Statement"), [&](Value statement) {
    if (!NamesCaller(*statement.Find("Principal"), caller)) return false;
    if (!NamesOperation(*statement.Find("Action"), operation)) return false;
    verdict = statement.Find("Effect")->text() == "Deny" ? Verdict::kDeny : Verdict::kAllow;
    return verdict == Verdict::kDeny;
  });
  return verdict;
}

}  // namespace sluice::broker::kinesis

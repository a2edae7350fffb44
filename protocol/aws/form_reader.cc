// Document::ReadForm: the query protocol's structures, which are written as one field for each text in them.
//
// The fields come in any order, so they are sorted into a tree first. A part all of whose members are one, "member",
// is a list; its elements stand in the order of their numbers. A field without a value is as good as none: lists that
// are empty look like that.
#include <simdjson.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "protocol/aws/node_builder.h"
#include "protocol/aws/percent.h"

namespace sluice::protocol::aws {
namespace {

constexpr const char* kTooMany = "more values than a request may have";
constexpr std::string_view kListMember = "member";

struct Part {
  std::optional<std::string> text;
  std::map<std::string, Part, std::less<>> parts{};
};

std::optional<std::string> Decode(std::string_view text) {
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  std::optional<std::string> decoded = PercentDecode(spaced);
  if (decoded && !simdjson::validate_utf8(decoded->data(), decoded->size())) decoded.reset();
  return decoded;
}

class FormReader {
 public:
  explicit FormReader(NodeBuilder& nodes) : nodes_(nodes) {}

  /// nullptr, or what is wrong.
  const char* Read(std::string_view form) {
    while (!form.empty()) {
      const std::size_t end = std::min(form.find('&'), form.size());
      if (const char* wrong = Sort(form.substr(0, end)); wrong != nullptr) return wrong;
      form.remove_prefix(std::min(end + 1, form.size()));
    }
    return Emit(root_);
  }

 private:
  const char* Sort(std::string_view field) {
    if (field.empty()) return nullptr;
    const std::size_t equals = std::min(field.find('='), field.size());
    const std::optional<std::string> name = Decode(field.substr(0, equals));
    std::optional<std::string> value = Decode(field.substr(std::min(equals + 1, field.size())));
    if (!name || !value) return "an escape that is none, or a text that is not UTF-8";
    if (value->empty()) return nullptr;
    Part* part = &root_;
    std::size_t depth = 0;
    for (std::string_view rest = *name; !rest.empty();) {
      if (++depth > Document::kDepthMax) return "nested too deep";
      const std::size_t dot = std::min(rest.find('.'), rest.size());
      const auto [place, is_new] = part->parts.try_emplace(std::string(rest.substr(0, dot)));
      if (is_new && ++parts_ > Document::kValuesMax) return kTooMany;
      part = &place->second;
      rest.remove_prefix(std::min(dot + 1, rest.size()));
    }
    if (part == &root_) return "a value without a name";
    part->text = std::move(*value);
    return nullptr;
  }

  const char* Emit(const Part& part) {
    if (part.parts.empty()) return EmitText(part.text.value_or(""));
    if (part.text) return "a value that has members too";
    if (part.parts.size() == 1 && part.parts.begin()->first == kListMember) return EmitList(part.parts.begin()->second);
    std::uint32_t index = 0;
    if (!nodes_.Open(Kind::kMap, index)) return kTooMany;
    for (const auto& [name, member] : part.parts) {
      if (const char* wrong = EmitText(name); wrong != nullptr) return wrong;
      if (const char* wrong = Emit(member); wrong != nullptr) return wrong;
    }
    nodes_.Close(index, static_cast<std::uint32_t>(part.parts.size()));
    return nullptr;
  }

  const char* EmitList(const Part& list) {
    std::map<std::uint32_t, const Part*> elements;
    for (const auto& [name, element] : list.parts) {
      std::uint32_t number = 0;
      const char* const end = name.data() + name.size();
      const auto [stop, error] = std::from_chars(name.data(), end, number);
      if (error != std::errc() || stop != end) return "an element of a list without a number";
      if (!elements.emplace(number, &element).second) return "two elements of a list with one number";
    }
    std::uint32_t index = 0;
    if (!nodes_.Open(Kind::kList, index)) return kTooMany;
    for (const auto& [number, element] : elements) {
      if (const char* wrong = Emit(*element); wrong != nullptr) return wrong;
    }
    nodes_.Close(index, static_cast<std::uint32_t>(elements.size()));
    return nullptr;
  }

  const char* EmitText(const std::string& text) {
    std::string& kept = nodes_.NewText();
    kept = text;
    return nodes_.AddText(Kind::kText, kept) ? nullptr : kTooMany;
  }

  NodeBuilder& nodes_;
  Part root_;
  std::size_t parts_ = 0;
};

}  // namespace

Status Document::ReadForm(std::string_view form) {
  NodeBuilder nodes(*this);
  const char* wrong = form.empty() ? "it is empty" : FormReader(nodes).Read(form);
  if (wrong == nullptr && root().kind() != Kind::kMap) wrong = "no members";
  if (wrong == nullptr) return {};
  nodes_.clear();
  return Status(Code::kInvalidArgument, std::string("not a form: ") + wrong);
}

}  // namespace sluice::protocol::aws

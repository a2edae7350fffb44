// Reading says what is wrong in DynamoDB's words, for requests; what is kept has passed all of it.
#include "broker/api/dynamodb/item_json.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "protocol/base64.h"

namespace sluice::broker::dynamodb {
namespace {

namespace api = protocol::aws;

std::optional<Type> TypeOf(std::string_view name) {
  for (const Type type : {Type::kString, Type::kNumber, Type::kBinary, Type::kBoolean, Type::kNull, Type::kStringSet,
                          Type::kNumberSet, Type::kBinarySet, Type::kList, Type::kMap}) {
    if (TypeName(type) == name) return type;
  }
  return std::nullopt;
}

std::unexpected<ApiError> Unexpected(api::Kind kind) {
  if (kind == api::Kind::kList) return std::unexpected(Serialization("Start of list found where not expected"));
  if (kind == api::Kind::kMap) {
    return std::unexpected(Serialization("Start of structure or map found where not expected."));
  }
  return std::unexpected(Serialization("Unexpected field type"));
}

ApiResult<AttributeValue> ReadScalar(Type type, api::Value json) {
  if (json.kind() != api::Kind::kText) return Unexpected(json.kind());
  AttributeValue value{.type = type};
  if (type == Type::kNumber) {
    auto number = Number::Parse(json.text());
    if (!number) return std::unexpected(Validation(std::move(number.error())));
    value.number = std::move(*number);
  } else if (type == Type::kBinary) {
    auto bytes = protocol::DecodeBase64(json.text());
    if (!bytes) return std::unexpected(Serialization("Invalid base64 of a binary value"));
    value.text = std::move(*bytes);
  } else {
    value.text = json.text();
  }
  return value;
}

std::string_view EmptySet(Type type) {
  if (type == Type::kStringSet) return "An string set  may not be empty";
  return type == Type::kNumberSet ? "An number set  may not be empty" : "Binary sets should not be empty";
}

ApiResult<AttributeValue> ReadElements(Type type, api::Value json) {
  if (json.kind() != api::Kind::kList) return Unexpected(json.kind());
  AttributeValue value{.type = type};
  for (const auto [unnamed, element] : json.children()) {
    auto read = type == Type::kList ? ReadAttributeValue(element) : ReadScalar(ElementType(type), element);
    if (!read) return read;
    value.elements.push_back(std::move(*read));
  }
  if (type == Type::kList) return value;
  if (value.elements.empty()) return std::unexpected(InvalidParameter(EmptySet(type)));
  if (!SortSet(value)) return std::unexpected(InvalidParameter("Input collection contains duplicates"));
  return value;
}

ApiResult<AttributeValue> ReadTyped(Type type, api::Value json) {
  AttributeValue value{.type = type};
  switch (type) {
    case Type::kString:
    case Type::kNumber:
    case Type::kBinary:
      return ReadScalar(type, json);
    case Type::kBoolean:
      if (json.kind() != api::Kind::kBoolean) return Unexpected(json.kind());
      value.boolean = json.boolean();
      return value;
    case Type::kNull:
      if (json.kind() != api::Kind::kBoolean) return Unexpected(json.kind());
      if (json.boolean()) return value;
      return std::unexpected(InvalidParameter("Null attribute value types must have the value of true"));
    case Type::kMap: {
      auto members = ReadItem(json);
      if (!members) return std::unexpected(std::move(members.error()));
      value.members = std::move(*members);
      return value;
    }
    default:
      return ReadElements(type, json);
  }
}

}  // namespace

ApiResult<AttributeValue> ReadAttributeValue(api::Value json) {
  if (json.kind() != api::Kind::kMap) return Unexpected(json.kind());
  std::optional<std::pair<Type, api::Value>> only;
  for (const auto [name, child] : json.children()) {
    const std::optional<Type> type = TypeOf(name);
    if (!type || child.kind() == api::Kind::kNull) continue;
    if (only) {
      return std::unexpected(
          Validation("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the "
                     "supported datatypes"));
    }
    only.emplace(*type, child);
  }
  if (only) return ReadTyped(only->first, only->second);
  return std::unexpected(
      Validation("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"));
}

ApiResult<Item> ReadItem(api::Value json) {
  if (json.kind() != api::Kind::kMap) return Unexpected(json.kind());
  Item item;
  for (const auto [name, child] : json.children()) {
    auto value = ReadAttributeValue(child);
    if (!value) return std::unexpected(std::move(value.error()));
    item.insert_or_assign(std::string(name), std::move(*value));
  }
  return item;
}

void WriteAttributeValue(api::Writer& writer, const AttributeValue& value) {
  const auto scalar = [&](const AttributeValue& one) {
    if (one.type == Type::kNumber) return writer.Text(one.number.ToText());
    one.type == Type::kBinary ? writer.Bytes(one.text) : writer.Text(one.text);
  };
  writer.BeginMap();
  writer.Name(TypeName(value.type));
  if (value.type == Type::kBoolean) {
    writer.Boolean(value.boolean);
  } else if (value.type == Type::kNull) {
    writer.Boolean(true);
  } else if (value.type == Type::kMap) {
    WriteItem(writer, value.members);
  } else if (IsOrdered(value.type)) {
    scalar(value);
  } else {
    writer.BeginList();
    for (const AttributeValue& element : value.elements) {
      value.type == Type::kList ? WriteAttributeValue(writer, element) : scalar(element);
    }
    writer.EndList();
  }
  writer.EndMap();
}

void WriteItem(api::Writer& writer, const Item& item) {
  writer.BeginMap();
  for (const auto& [name, value] : item) {
    writer.Name(name);
    WriteAttributeValue(writer, value);
  }
  writer.EndMap();
}

ApiResult<void> CheckItemSize(const Item& item) {
  if (SizeOf(item) > kItemBytesMax) {
    return std::unexpected(Validation("Item size has exceeded the maximum allowed size"));
  }
  const Extent extent = ExtentOf(item);
  if (extent.depth > kItemDepthMax) {
    return std::unexpected(Validation("Nesting Levels have exceeded supported limits"));
  }
  if (extent.values > kItemValuesMax) {
    return std::unexpected(Validation("Item size has exceeded the maximum allowed size: it has too many values"));
  }
  return {};
}

std::string EncodeItem(const Item& item) {
  const auto writer = api::Writer::New(api::Encoding::kJson);
  WriteItem(*writer, item);
  return writer->Take();
}

Result<Item> DecodeItem(std::string_view text) {
  const std::string padded = std::string(text) + std::string(api::Document::kPaddingBytes, '\0');
  api::Document document;
  if (Status status = document.ReadJson(std::string_view(padded).substr(0, text.size())); !status.ok()) {
    return Error(Code::kCorruption, status.message());
  }
  auto item = ReadItem(document.root());
  if (!item) return Error(Code::kCorruption, item.error().message);
  return std::move(*item);
}

}  // namespace sluice::broker::dynamodb

// Writing what a shape knows of a value.
#include <fmt/format.h>

#include <map>
#include <string_view>

#include "protocol/aws/shape.h"
#include "protocol/json_writer.h"

namespace sluice::protocol::aws {

class KnownWriter {
 public:
  explicit KnownWriter(JsonWriter& json) : json_(json) {}

  void Write(Value value, const Shape& shape) {
    switch (shape.type_) {
      case Shape::Type::kStructure:
        return WriteStructure(value, shape);
      case Shape::Type::kList:
        json_.BeginList();
        for (const auto [unnamed, child] : value.children()) {
          if (child.kind() != Kind::kNull) Write(child, *shape.element_);
        }
        json_.EndList();
        return;
      case Shape::Type::kMap:
        return WriteMap(value, shape);
      case Shape::Type::kInteger:
        json_.Number(ToInteger(value, INT32_MAX));
        return;
      case Shape::Type::kLong:
        json_.Number(ToInteger(value, INT64_MAX));
        return;
      case Shape::Type::kDouble:
        json_.Raw(fmt::format("{}", ToDouble(value)));
        return;
      case Shape::Type::kBoolean:
        json_.Bool(value.boolean());
        return;
      case Shape::Type::kTimestamp:
        json_.Number(ToTimestampMs(value));
        return;
      case Shape::Type::kBlob:
        if (value.kind() == Kind::kBytes) return void(json_.Base64(value.text()));
        [[fallthrough]];
      case Shape::Type::kText:
        json_.String(value.text());
        return;
      case Shape::Type::kAny:
        json_.BeginObject().EndObject();  // nothing is known of it
        return;
    }
  }

 private:
  void WriteStructure(Value value, const Shape& shape) {
    json_.BeginObject();
    for (const Shape::Field& field : shape.fields_) {
      const std::optional<Value> member = value.Find(field.name);
      if (!member) continue;
      json_.Key(field.name);
      Write(*member, *field.shape);
    }
    json_.EndObject();
  }

  void WriteMap(Value value, const Shape& shape) {
    std::map<std::string_view, Value> members;  // the last one of a name counts
    for (const auto [name, child] : value.children()) members.insert_or_assign(name, child);
    json_.BeginObject();
    for (const auto& [name, child] : members) {
      if (child.kind() == Kind::kNull) continue;
      json_.Key(name);
      Write(child, *shape.element_);
    }
    json_.EndObject();
  }

  JsonWriter& json_;
};

std::string KnownJson(Value value, const Shape& shape) {
  JsonWriter json;
  KnownWriter(json).Write(value, shape);
  return json.text();
}

}  // namespace sluice::protocol::aws

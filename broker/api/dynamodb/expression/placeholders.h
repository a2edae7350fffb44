// ExpressionAttributeNames and ExpressionAttributeValues of one request, and which of them its expressions have used.
//
// One thread at a time.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/dynamodb/attribute_value.h"
#include "broker/api/dynamodb/errors.h"
#include "protocol/aws/document.h"

namespace sluice::broker::dynamodb {

class Placeholders {
 public:
  /// Of an operation's input, or of one action of a transaction: a map with these two members, where they are.
  static ApiResult<Placeholders> Read(protocol::aws::Value input);

  /// For "#name" and ":value"; nullptr where there is none.
  const std::string* UseName(std::string_view holder);
  const AttributeValue* UseValue(std::string_view holder);

  /// After all expressions of the request: ValidationException where some were not used.
  ApiResult<void> CheckAllUsed() const;
  bool empty() const { return names_.empty() && values_.empty(); }

 private:
  template <typename T>
  struct Held {
    T value;
    bool used = false;
  };
  std::map<std::string, Held<std::string>, std::less<>> names_;
  std::map<std::string, Held<AttributeValue>, std::less<>> values_;
};

}  // namespace sluice::broker::dynamodb

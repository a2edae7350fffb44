// Conditions and updates as trees, whether they were written as an expression or in the older form (Expected,
// AttributeUpdates). Values only.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "broker/api/dynamodb/attribute_value.h"

namespace sluice::broker::dynamodb {

/// "a.b[2].c": names of attributes and places in lists; begins with a name.
using Path = std::vector<std::variant<std::string, std::uint32_t>>;

/// "a.b[2].c", for messages.
std::string ToText(const Path& path);

struct Operand {
  enum class Kind : std::uint8_t { kPath, kValue, kSize };
  Kind kind = Kind::kValue;
  Path path{};             // kPath; kSize: of what
  AttributeValue value{};  // kValue
};

struct Condition {
  enum class Kind : std::uint8_t {
    kAnd,        // of children
    kOr,         // of children
    kNot,        // of one child
    kEqual,      // of two operands, as those below
    kNotEqual,   // true where the first one does not exist
    kLess,       // of two scalars of one type, as those below
    kLessEqual,  //
    kGreater,    //
    kGreaterEqual,
    kBetween,     // three operands: the first, from the second to the third
    kIn,          // the first among the others
    kExists,      // a path, as those below
    kNotExists,   //
    kHasType,     // a path, and the name of a type
    kBeginsWith,  // two operands
    kContains     // a text, set or list, and what is in it
  };
  Kind kind = Kind::kAnd;
  std::vector<Operand> operands{};
  std::vector<Condition> children{};
};

/// What an attribute is set to.
struct SetValue {
  enum class Kind : std::uint8_t {
    kOperand,      // a path or a value
    kIfNotExists,  // the operand's path where it exists, else the one child
    kListAppend,   // both children in one list
    kSum,          // of both children
    kDifference    // of both children
  };
  Kind kind = Kind::kOperand;
  Operand operand{};
  std::vector<SetValue> children{};
};

struct UpdateAction {
  enum class Kind : std::uint8_t {
    kSet,
    kRemove,
    kAdd,     // to a number, or elements to a set; makes what does not exist
    kAppend,  // elements to a list, which only the older form does
    kDelete   // elements of a set
  };
  Kind kind = Kind::kSet;
  Path path{};
  SetValue set{};          // kSet
  AttributeValue value{};  // kAdd, kAppend, kDelete
};
using Update = std::vector<UpdateAction>;

}  // namespace sluice::broker::dynamodb

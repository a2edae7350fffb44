// Fills a document's nodes; what the two readers share. Private to protocol/aws.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "protocol/aws/document.h"

namespace sluice::protocol::aws {

class NodeBuilder {
 public:
  /// Starts over: the document has no nodes then.
  explicit NodeBuilder(Document& document) : document_(document) {
    document.nodes_.clear();
    document.joined_.clear();
  }

  /// False, as all that follow, where there are more values than a document takes.
  bool AddNull() { return Add({}); }
  bool AddBoolean(bool value) { return AddInteger(Kind::kBoolean, value ? 1 : 0); }
  bool AddInteger(Kind kind, std::int64_t value);  // kBoolean, kInteger, kTimestamp
  bool AddReal(double value);
  bool AddText(Kind kind, std::string_view text);  // kText, kBytes; the bytes live as long as the document
  /// A string that must live in the document.
  std::string& NewText();

  /// Everything until Close with the index that Open gives is inside.
  bool Open(Kind kind, std::uint32_t& index);
  void Close(std::uint32_t index, std::uint32_t children);

 private:
  bool Add(Document::Node node);
  Document& document_;
};

}  // namespace sluice::protocol::aws

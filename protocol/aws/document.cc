// The tree of values and its building; json_reader.cc and cbor_reader.cc fill it.
#include "protocol/aws/document.h"

#include "protocol/aws/node_builder.h"
#include "protocol/check.h"

namespace sluice::protocol::aws {

Kind Value::kind() const { return document_->nodes_[at_].kind; }

bool Value::boolean() const {
  SLUICE_CHECK(kind() == Kind::kBoolean);
  return document_->nodes_[at_].integer != 0;
}

std::int64_t Value::integer() const {
  SLUICE_CHECK(kind() == Kind::kInteger || kind() == Kind::kTimestamp);
  return document_->nodes_[at_].integer;
}

double Value::real() const {
  SLUICE_CHECK(kind() == Kind::kReal);
  return document_->nodes_[at_].real;
}

std::string_view Value::text() const {
  SLUICE_CHECK(kind() == Kind::kText || kind() == Kind::kBytes);
  const Document::Node& node = document_->nodes_[at_];
  return {node.text, node.text_bytes};
}

std::size_t Value::size() const {
  SLUICE_CHECK(kind() == Kind::kList || kind() == Kind::kMap);
  return document_->nodes_[at_].children;
}

std::optional<Value> Value::Find(std::string_view name) const {
  SLUICE_CHECK(kind() == Kind::kMap);
  std::optional<Value> found;
  for (const Children::Child child : children()) {
    if (child.name == name) found = child.value;
  }
  if (found && found->kind() == Kind::kNull) found.reset();
  return found;
}

void Value::Forget() const { document_->nodes_[at_].kind = Kind::kNull; }

Children Value::children() const {
  SLUICE_CHECK(kind() == Kind::kList || kind() == Kind::kMap);
  return Children(*this);
}

Children::Iterator Children::begin() const {
  return {parent_.document_, parent_.at_ + 1, parent_.kind() == Kind::kMap};
}

Children::Iterator Children::end() const {
  return {parent_.document_, parent_.document_->nodes_[parent_.at_].next, parent_.kind() == Kind::kMap};
}

Children::Child Children::Iterator::operator*() const {
  if (!named_) return {{}, Value(document_, at_)};
  return {Value(document_, at_).text(), Value(document_, at_ + 1)};
}

Children::Iterator& Children::Iterator::operator++() {
  at_ = document_->nodes_[named_ ? at_ + 1 : at_].next;
  return *this;
}

bool NodeBuilder::Add(Document::Node node) {
  if (document_.nodes_.size() >= Document::kValuesMax) return false;
  node.next = static_cast<std::uint32_t>(document_.nodes_.size() + 1);
  document_.nodes_.push_back(node);
  return true;
}

bool NodeBuilder::AddInteger(Kind kind, std::int64_t value) {
  Document::Node node;
  node.kind = kind;
  node.integer = value;
  return Add(node);
}

bool NodeBuilder::AddReal(double value) {
  Document::Node node;
  node.kind = Kind::kReal;
  node.real = value;
  return Add(node);
}

bool NodeBuilder::AddText(Kind kind, std::string_view text) {
  Document::Node node;
  node.kind = kind;
  node.text = text.data();
  node.text_bytes = text.size();
  return Add(node);
}

std::string& NodeBuilder::NewText() { return *document_.joined_.emplace_back(std::make_unique<std::string>()); }

bool NodeBuilder::Open(Kind kind, std::uint32_t& index) {
  index = static_cast<std::uint32_t>(document_.nodes_.size());
  Document::Node node;
  node.kind = kind;
  return Add(node);
}

void NodeBuilder::Close(std::uint32_t index, std::uint32_t children) {
  document_.nodes_[index].next = static_cast<std::uint32_t>(document_.nodes_.size());
  document_.nodes_[index].children = children;
}

}  // namespace sluice::protocol::aws

// Documents of the AWS doors: any bytes as JSON, as CBOR and as a form. What is read can be written, and reads as the
// same again.
#include <cmath>
#include <string>

#include "protocol/aws/document.h"
#include "protocol/aws/writer.h"
#include "tests/fuzz/fuzz.h"

namespace sluice::protocol::aws {
namespace {

void Write(Value value, Writer& writer);

void WriteChildren(Value value, Writer& writer) {
  const bool map = value.kind() == Kind::kMap;
  map ? writer.BeginMap() : writer.BeginList();
  for (const auto [name, child] : value.children()) {
    if (map) writer.Name(name);
    Write(child, writer);
  }
  map ? writer.EndMap() : writer.EndList();
}

void Write(Value value, Writer& writer) {
  switch (value.kind()) {
    case Kind::kNull:
      return writer.Boolean(false);  // answers have no null
    case Kind::kBoolean:
      return writer.Boolean(value.boolean());
    case Kind::kInteger:
      return writer.Integer(value.integer());
    case Kind::kReal:
      return writer.Real(std::isfinite(value.real()) ? value.real() : 0);
    case Kind::kText:
      return writer.Text(value.text());
    case Kind::kBytes:
      return writer.Bytes(value.text());
    case Kind::kTimestamp:
      return writer.Timestamp(value.integer());
    case Kind::kList:
    case Kind::kMap:
      return WriteChildren(value, writer);
  }
}

std::string Written(const Document& document) {
  const auto writer = Writer::New(Encoding::kCbor);
  Write(document.root(), *writer);
  return writer->Take();
}

void CheckRoundTrip(const Document& document) {
  const std::string first = Written(document);
  Document again;
  SLUICE_CHECK(again.ReadCbor(first).ok());
  SLUICE_CHECK(Written(again) == first);
}

}  // namespace
}  // namespace sluice::protocol::aws

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sluice::protocol::aws;
  const std::string_view input = sluice::fuzz::Input(data, size);
  Document document;
  if (document.ReadCbor(input).ok()) CheckRoundTrip(document);
  const std::string padded = std::string(input) + std::string(Document::kPaddingBytes, '\0');
  if (document.ReadJson(std::string_view(padded).substr(0, size)).ok()) CheckRoundTrip(document);
  if (document.ReadForm(input).ok()) CheckRoundTrip(document);
  return 0;
}

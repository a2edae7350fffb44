// Writes JSON whose bytes are always the same for the same calls: keys in the order of the calls, no spaces.
//
//     JsonWriter json;
//     json.BeginObject().Key("name").String("orders").Key("shards").BeginList().Number(0).EndList().EndObject();
//
// One thread at a time.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

#include "protocol/base64.h"
#include "protocol/json_text.h"

namespace sluice::protocol {

class JsonWriter {
 public:
  JsonWriter& BeginObject() { return Open('{'); }
  JsonWriter& EndObject() { return Close('}'); }
  JsonWriter& BeginList() { return Open('['); }
  JsonWriter& EndList() { return Close(']'); }

  JsonWriter& Key(std::string_view key) {
    Separate();
    AppendJsonString(text_, key);
    text_ += ':';
    after_value_ = false;
    return *this;
  }
  JsonWriter& String(std::string_view value) {
    Separate();
    AppendJsonString(text_, value);
    after_value_ = true;
    return *this;
  }
  template <std::integral Int>
  JsonWriter& Number(Int value) {
    return Raw(std::to_string(value));
  }
  JsonWriter& Bool(bool value) { return Raw(value ? "true" : "false"); }
  /// Bytes as base64 text.
  JsonWriter& Base64(std::string_view bytes) {
    Separate();
    text_ += '"';
    AppendBase64(text_, bytes);
    text_ += '"';
    after_value_ = true;
    return *this;
  }
  /// A value that is JSON already.
  JsonWriter& Raw(std::string_view json) {
    Separate();
    text_ += json;
    after_value_ = true;
    return *this;
  }

  /// Memory for a text of this size, so that writing it moves nothing.
  void Reserve(std::size_t bytes) { text_.reserve(bytes); }
  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  void Separate() {
    if (after_value_) text_ += ',';
  }
  JsonWriter& Open(char bracket) {
    Separate();
    text_ += bracket;
    after_value_ = false;
    return *this;
  }
  JsonWriter& Close(char bracket) {
    text_ += bracket;
    after_value_ = true;
    return *this;
  }

  std::string text_;
  bool after_value_ = false;
};

}  // namespace sluice::protocol

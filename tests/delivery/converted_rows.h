// A converter whose rows are read back as JSON, for tests of the conversion.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/row_converter.h"

namespace sluice::delivery {

/// Of the fields of a struct type.
Schema SchemaOf(std::string_view type, bool overflow = false);

class Rows {
 public:
  explicit Rows(std::string_view struct_type, const ConverterOptions& options = {}, bool overflow = false);

  /// The record's rows, joined by a blank, or the error's code and message.
  std::string operator()(std::string_view record);
  RowConverter& converter() { return *converter_; }

 private:
  std::unique_ptr<RowConverter> converter_;
};

/// How errors begin.
inline const std::string kParse = "DataFormatConversion.ParseError: Encountered malformed JSON. ";
inline const std::string kData = "DataFormatConversion.MalformedData: Data does not match the schema. ";

}  // namespace sluice::delivery

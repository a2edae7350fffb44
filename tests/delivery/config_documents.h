// Documents that tests of configurations begin with.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <vector>

namespace sluice::delivery {

inline bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

inline std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// A document of which every test changes one thing; `destination` stands on line 6, `top` on line 2.
inline std::string Document(std::string_view destination, std::string_view top = "\"Tags\": []") {
  return fmt::format(R"({{ "DeliveryStreamName": "orders-lake", "DeliveryStreamType": "KinesisStreamAsSource",
  {},
  "KinesisStreamSourceConfiguration": {{"KinesisStreamARN": "arn:aws:kinesis:eu-west-1:123456789012:stream/orders", "RoleARN": "r"}},
  "ExtendedS3DestinationConfiguration": {{
    "RoleARN": "arn:aws:iam::123456789012:role/firehose", "BucketARN": "arn:aws:s3:::lake",
    {}
  }}
}})",
                     top, destination);
}

inline constexpr std::string_view kConversion =
    R"("DataFormatConversionConfiguration": {"OutputFormatConfiguration": {"Serializer": {"ParquetSerDe": {}}}})";

inline std::string WithOrc(std::string_view fields) {
  return fmt::format(
      R"("DataFormatConversionConfiguration": {{"OutputFormatConfiguration": {{"Serializer": {{"OrcSerDe": {{{}}}}}}}}})",
      fields);
}

}  // namespace sluice::delivery

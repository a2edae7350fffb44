// Records that the Kinesis Producer Library has packed into one (an aggregate): taken apart.
//
// An aggregate is the four bytes F3 89 9A C2, a Protobuf message, and the 16 bytes of the message's MD5:
//
//     message AggregatedRecord {
//       repeated string partition_key_table = 1;
//       repeated string explicit_hash_key_table = 2;
//       repeated Record records = 3;  // partition_key_index = 1, explicit_hash_key_index = 2, data = 3, tags = 4
//     }
//
// What does not have this form in every byte is a plain record that happens to begin so. Values only: safe on any
// thread.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace sluice::protocol {

/// One of the packed records; views into the aggregate.
struct KplRecord {
  std::string_view partition_key;
  std::optional<std::string_view> explicit_hash_key;  // decimal
  std::string_view data;
  friend bool operator==(const KplRecord&, const KplRecord&) = default;
};

/// Whether `data` begins as aggregates do; cheap, for each record that is delivered.
bool MayBeKplAggregate(std::string_view data);
/// The packed records in their order, none where there are none; nullopt for a plain record.
std::optional<std::vector<KplRecord>> OpenKplAggregate(std::string_view data);

}  // namespace sluice::protocol

// Reading of tags.
#include "broker/api/firehose/tags.h"

#include <string>

namespace sluice::broker::firehose {

DeliveryTags ReadTags(protocol::aws::Value list) {
  DeliveryTags tags;
  for (const auto [unnamed, tag] : list.children()) {
    if (tag.kind() != protocol::aws::Kind::kMap) continue;  // null
    const auto value = tag.Find("Value");
    tags[std::string(tag.Find("Key")->text())] = value ? std::string(value->text()) : std::string();
  }
  return tags;
}

}  // namespace sluice::broker::firehose

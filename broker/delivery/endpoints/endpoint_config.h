// What is configured of a destination that is a service and not the lake. Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "broker/delivery/secret_provider.h"

namespace sluice::delivery {

/// How much of a document's time stands in the name of its index.
enum class IndexRotation : std::uint8_t { kNone, kHour, kDay, kWeek, kMonth };

struct EndpointConfig {
  std::string type = {};        // of endpoint_registry.h; empty: there is no service, records go to the lake
  std::string url = {};         // https://.., or http://..
  std::string domain_arn = {};  // of OpenSearch, where the broker's settings have the url
  std::string name = {};        // for people
  std::string access_key = {};  // a secret; of Splunk: its token
  SecretConfig secret = {};     // where it is instead
  bool gzip = false;            // of requests' bodies
  std::vector<std::pair<std::string, std::string>> attributes = {};  // that go with each request
  std::uint64_t retry_s = 300;                                       // how long requests are tried again; 0: not at all
  bool splunk_events = false;                                        // records are events in JSON; else anything
  std::uint64_t splunk_ack_s = 180;                                  // how long an acknowledgement is waited for
  std::string index = {};       // of documents; a part of their time is put behind it
  std::string index_type = {};  // of servers before 7; empty: none
  IndexRotation rotation = IndexRotation::kDay;
  bool document_ids = true;  // of our own, by which a repeated document replaces itself

  /// Takes over where requests go and how; which documents they make stays.
  void UseConnectionOf(const EndpointConfig& other) {
    EndpointConfig changed = other;
    changed.index = index;
    changed.index_type = index_type;
    changed.rotation = rotation;
    changed.document_ids = document_ids;
    *this = std::move(changed);
  }
  bool exists() const { return !type.empty(); }
  friend bool operator==(const EndpointConfig&, const EndpointConfig&) = default;
};

}  // namespace sluice::delivery

// The kinds of services that records can be sent to. Thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "broker/delivery/config_reader.h"
#include "broker/delivery/delivery_config.h"
#include "broker/delivery/endpoints/endpoint.h"
#include "broker/delivery/endpoints/endpoint_config.h"
#include "broker/delivery/processing/lambda_config.h"
#include "broker/delivery/processing/processor_host.h"
#include "protocol/json_writer.h"

namespace sluice::delivery {

inline constexpr std::int64_t kEndpointSizeMbDefault = 5;  // of every kind

struct EndpointKind {
  std::string_view type;        // "HttpEndpoint" of HttpEndpointDestinationConfiguration
  std::string_view error_type;  // {firehose:error-output-type} of what it did not take; a constant
  std::int64_t size_mb_max = 0;
  std::int64_t interval_s_default = 0;
  std::uint64_t retry_s_default = 0;
  bool joins_records = false;        // records stand one behind the other in a body, with the delimiter
  std::size_t records_max = 0;       // of a request
  std::uint64_t body_bytes_max = 0;  // of the records in its body
  std::string_view failed_only;      // S3BackupMode's word where only what was not taken goes to the lake
  std::string_view all;              // and where all does
  std::string_view lambda_buffer_mb = kLambdaBufferMbDefault;  // a Lambda's BufferSizeInMBs where none is given
  std::string_view secret_member = {};  // of a secret that stands for the access key; empty: none can
  /// The members of its own; what all have is endpoint_destination.cc's.
  void (*read)(MapReader& map, EndpointConfig& config) = nullptr;
  void (*write)(const EndpointConfig& config, Secrets secrets, protocol::JsonWriter& json) = nullptr;
  /// Whether a broker of these settings can reach it now; an error says which setting, or which secret of the
  /// settings, is in the way. nullptr: every.
  Status (*check)(const EndpointConfig& config, const ProcessorSettings& settings) = nullptr;
  /// The host, whose settings have passed `check`, outlives it.
  std::unique_ptr<Endpoint> (*make)(const DeliveryConfig& config, const ProcessorHost& host) = nullptr;
};

std::span<const EndpointKind> EndpointKinds();
/// nullptr where there is none of this type.
const EndpointKind* FindEndpointKind(std::string_view type);

/// What `check` of its kind says; OK where there is no endpoint.
Status CheckEndpoint(const EndpointConfig& config, const ProcessorSettings& settings);
/// What goes with each request: the configuration's key or, where that names a secret, the secret's as it is now;
/// empty: nothing does. Errors as ReadSecretMembers; there are none where there is no endpoint, or no secret.
Result<std::string> AccessKeyOf(const EndpointConfig& config, const ProcessorSettings& settings);

/// Whether the delimiter means something: records stand one behind the other, in objects or in requests.
bool JoinsRecords(const DeliveryConfig& config);

}  // namespace sluice::delivery

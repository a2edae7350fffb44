// Two messages of the native protocol.
#include "client/producer_identity.h"

#include "protocol/native/native.pb.h"

namespace sluice::client {

Call InitProducerCall(const ProducerOptions& options) {
  native::InitProducerRequest request;
  request.set_name(options.producer_name);
  return {.operation = protocol::wire::Operation::kInitProducer,
          .control = request.SerializeAsString(),
          .body = nullptr,
          .timeout = options.client.request_timeout};
}

Result<ProducerIdentity> ReadIdentity(const Result<Answer>& answer, std::uint64_t generation) {
  if (!answer) return std::unexpected(answer.error());
  native::InitProducerResponse response;
  if (!response.ParseFromString(answer->control) || response.producer_id() < 0 || response.epoch() < 0 ||
      response.epoch() > INT16_MAX) {
    return Error(Code::kCorruption, "the broker's answer to 'init producer' is not valid");
  }
  return ProducerIdentity{ProducerId(response.producer_id()), static_cast<std::int16_t>(response.epoch()), generation};
}

}  // namespace sluice::client

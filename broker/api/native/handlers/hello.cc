// Hello: agrees on a version and names the limits. And the message of every error.
#include "broker/api/native/handlers/messages.h"
#include "broker/version.h"
#include "protocol/native/native.pb.h"

namespace sluice::broker::native {
namespace {

// An error message is for people; a longer one than this says nothing more.
constexpr std::size_t kMessageBytesMax = 64u << 10;

}  // namespace

Result<std::string> HandleHello(const AppendOptions& limits, std::string_view control, Agreement& agreement) {
  const auto request = ParseControl<::sluice::native::HelloRequest>(control);
  if (!request) return Error(request.error());
  const auto agreed = protocol::wire::NegotiateVersion(request->version_min(), request->version_max());
  if (!agreed) return Error(agreed.error());
  agreement = {.version = *agreed, .large_answers = request->large_answers()};
  ::sluice::native::HelloResponse answer;
  answer.set_version(*agreed);
  answer.set_broker_name(std::string("sluice ").append(kVersion));
  answer.set_batch_bytes_max(limits.batch_bytes_max);
  answer.set_record_bytes_max(limits.record_bytes_max);
  return answer.SerializeAsString();
}

std::string ErrorControl(const Status& status) {
  ::sluice::native::ErrorResponse error;
  error.set_message(status.message().substr(0, kMessageBytesMax));
  return error.SerializeAsString();
}

}  // namespace sluice::broker::native

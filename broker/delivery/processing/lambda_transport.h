// How a Lambda is called: over HTTP (lambda_http.cc) or as a program of this machine (lambda_command.cc). A new way is
// a file of its own behind this interface.
//
// One thread at a time; calls block, and end soon after the host is stopping. The host outlives it. A crash leaves
// nothing; a program ends with its standard input.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "broker/delivery/processing/lambda_config.h"
#include "broker/delivery/processing/lambda_messages.h"
#include "broker/delivery/processing/processor_host.h"

namespace sluice::delivery {

class LambdaTransport {
 public:
  virtual ~LambdaTransport() = default;
  /// One invocation; gives the answer as it came.
  virtual std::expected<std::string, LambdaFailure> Invoke(std::string_view request) = 0;
};

std::unique_ptr<LambdaTransport> NewLambdaHttp(const LambdaConfig& config, const ProcessorHost& host);
/// `delivery_stream` stands in the log beside what the program says on its standard error.
std::unique_ptr<LambdaTransport> NewLambdaCommand(const LambdaConfig& config, const ProcessorHost& host,
                                                  std::string_view delivery_stream);

}  // namespace sluice::delivery

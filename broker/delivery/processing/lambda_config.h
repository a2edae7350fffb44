// The parameters of the processor Lambda, and which kinds of functions there are:
//
//   LambdaArn  arn:aws:lambda:REGION:ACCOUNT:function:NAME  of the endpoint that the setting delivery.lambda_endpoint
//   names
//              http://..  https://..                        takes the same by POST
//              command:/path/to/program argument ..         of this machine: lines in, lines out (lambda_command.h)
//
// Values only; thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "broker/delivery/processing/processor_registry.h"
#include "sluice/status.h"

namespace sluice::delivery {

inline constexpr std::string_view kLambdaBufferSize = "BufferSizeInMBs";
inline constexpr std::string_view kLambdaBufferMbDefault = "1";  // what LambdaConfig has, as users write it

enum class LambdaKind : std::uint8_t { kFunction, kUrl, kCommand };

struct LambdaConfig {
  std::string arn;  // as given
  LambdaKind kind = LambdaKind::kFunction;
  std::vector<std::string> command;  // kCommand: program and arguments
  std::uint32_t retries = 3;
  std::uint64_t buffer_bytes = 1u << 20;  // of records, in one request
};

/// kInvalidArgument names the parameter.
Result<LambdaConfig> ParseLambdaConfig(const ProcessorConfig& config);

/// Whether a broker of these settings can call it.
Status CheckLambda(const LambdaConfig& config, const LambdaOptions& options);

}  // namespace sluice::delivery

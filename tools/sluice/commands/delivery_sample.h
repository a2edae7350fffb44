// The sample of `sluice delivery check --sample`: its records on their way to the broker, and what came of them, read
// out of the objects as `sluice lake` reads them.
//
// Threads: the main thread only.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "sluice/status.h"

namespace sluice::tools {

struct SampleArguments {
  std::string file;     // one record a line; "-" is standard input; empty: no sample
  bool base64 = false;  // each line is base64 of a record
};

/// The document of DeliveryAction::kTry. What does not fit a trial is left out, which stderr says.
Result<std::string> SampleRequest(const std::string& delivery_file, const SampleArguments& sample);

/// Puts `rows`, `format` and `bytes` in place of the objects' contents in the `sample` of an answer.
Status ReadSampleObjects(boost::json::object& sample);

/// What a person wants to see of it, after ReadSampleObjects.
void PrintSample(const boost::json::object& sample);

}  // namespace sluice::tools

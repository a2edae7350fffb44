// The ways in which AWS's services write requests and answers: which content type says which, where the name of the
// operation stands, and how errors look. docs/aws.md lists them. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/api/aws/http_message.h"
#include "protocol/aws/writer.h"

namespace sluice::broker::aws {

inline constexpr std::string_view kAmzJson = "application/x-amz-json-1.1";
inline constexpr std::string_view kAmzCbor = "application/x-amz-cbor-1.1";
inline constexpr std::string_view kAmzJson10 = "application/x-amz-json-1.0";
inline constexpr std::string_view kRpcCborType = "application/cbor";
inline constexpr std::string_view kFormType = "application/x-www-form-urlencoded";
inline constexpr std::string_view kXmlType = "text/xml";

enum class Wire : std::uint8_t {
  kJson11,   // application/x-amz-json-1.1: Kinesis
  kCbor11,   // application/x-amz-cbor-1.1: Kinesis, by Java
  kJson10,   // application/x-amz-json-1.0: DynamoDB, CloudWatch
  kRpcCbor,  // application/cbor with the operation in the path (Smithy's rpc-v2-cbor): CloudWatch
  kQuery,    // application/x-www-form-urlencoded, answers in XML: CloudWatch, by older clients
};

/// What a media type (without its parameters) stands for; nullopt for any other.
std::optional<Wire> WireOf(std::string_view media_type);
std::string_view ContentTypeOf(Wire wire);
/// Of bodies; answers of kQuery have no members, so that their writer is never asked for.
protocol::aws::Encoding EncodingOf(Wire wire);

/// "Kinesis_20131202.PutRecord", as Service and Operation are named; of kQuery "2010-08-01.PutMetricData", with the
/// version of the API, out of `body`. Empty where the request names none.
std::string OperationName(const HttpRequest& request, Wire wire, std::string_view body);

/// How errors are named in `wire`: JSON 1.0 says which namespace a type is of.
std::string ErrorTypeOf(Wire wire, std::string_view type);
/// What forms call an error: "InvalidParameterValue" for
/// "com.amazonaws.cloudwatch.v2010_08_01#InvalidParameterValueException". Clients that came from forms ask for it in
/// other ways of writing too.
std::string_view QueryCodeOf(std::string_view type);

}  // namespace sluice::broker::aws

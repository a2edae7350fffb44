// The settings of the delivery stage, as the configuration reader fills them in.
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace sluice::delivery {

/// How Lambdas are called.
struct LambdaOptions {
  std::string endpoint = {};          // of functions that are named by an ARN: http://HOST:PORT; empty: none
  std::int64_t timeout_ms = 300'000;  // of one invocation, as AWS
  bool allow_commands = false;        // programs of this machine, which run as the broker's user
  std::int64_t retry_first_ms = 100;  // before an invocation is tried again; doubles, up to a second
};

/// How s3:// is reached, where a root does not say otherwise.
struct S3Settings {
  std::string endpoint_override;  // "http://127.0.0.1:9000"; without a scheme: https; empty: AWS
  std::string region;             // empty: the bucket's at AWS, us-east-1 with an endpoint of its own
  bool path_style = true;         // the bucket stands in an endpoint_override's path, not in its host name
  std::string access_key_id;      // empty: the chain of the AWS SDK (environment, files, container, machine)
  std::string secret_access_key;
  std::string session_token;
  std::int64_t connect_timeout_ms = 5'000;
  std::int64_t request_timeout_ms = 30'000;  // without a byte in either direction
  bool upload_checksums = true;              // behind the body of each upload
};

/// How gs:// is reached.
struct GoogleSettings {
  std::string endpoint_override;     // as of S3; empty: Google
  bool anonymous = false;            // no credentials; else the application default credentials
  std::int64_t timeout_ms = 30'000;  // of one request with all its tries
};

/// How abfss:// is reached. Without a key and a token: the chain of the Azure SDK.
struct AzureSettings {
  std::string account_key;
  std::string sas_token;
};

/// All remote stores.
struct StoreSettings {
  S3Settings s3;
  GoogleSettings google;
  AzureSettings azure;
  std::string ca_file;  // PEM, for Lambdas too; empty: the system's
};

struct DeliveryOptions {
  std::string lake_dir = "sluice-lake";        // buckets are directories under it, or in the store of this URI
  std::map<std::string, std::string> buckets;  // bucket name -> root (bucket_root.h), for those that lie elsewhere
  std::string signing_secret;                  // whose keys sign requests to AWS; empty: they are not signed
  std::map<std::string, std::string> domains;  // ARN or name of an OpenSearch domain -> URL; may hold secrets
  StoreSettings stores;
  std::string config_dir;     // *.json, *.yaml: delivery streams made at start; empty: none
  std::string tables_dir;     // DATABASE.TABLE.json: Glue tables; empty: none is asked
  std::string secrets_dir;    // NAME.json: secrets of Secrets Manager; empty: there are none
  std::uint32_t threads = 1;  // conversion is CPU work, but a thread also waits for its upload
  LambdaOptions lambda;
  std::int64_t endpoint_timeout_ms = 180'000;  // of one request to an endpoint, as AWS
  std::int64_t load_timeout_ms = 900'000;      // of one statement of a load into a cluster
  std::string jq_program;                      // where sluice-jq is; empty: beside the broker's program
};

}  // namespace sluice::delivery

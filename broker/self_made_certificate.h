// The certificate that the AWS port shows where the user gives none, and its key: made at the first start, kept after.
//
//   DATA/tls/certificate.pem  self-signed, for localhost, 127.0.0.1, ::1 and the host's name
//   DATA/tls/key.pem          ECDSA P-256, for its owner's eyes alone
//
// Each is written beside and renamed, the key first. Where one is missing, after a crash or because the user wants a
// new one, both are made anew.
//
// Threads: one.
#pragma once

#include <string>

#include "broker/api/aws/tls_certificate.h"
#include "sluice/status.h"
#include "storage/env/env.h"

namespace sluice::broker {

/// Where the two are; `data_dir` exists.
Result<aws::TlsFiles> SelfMadeCertificate(storage::Env& env, const std::string& data_dir);

}  // namespace sluice::broker

// Bytes for tests: hex in and out, files of the source tree.
#pragma once

#include <string>
#include <string_view>

namespace sluice::protocol {

/// The bytes of hex digits; blanks and line ends between them are skipped. Fails the test on anything else.
std::string FromHex(std::string_view hex);
std::string ToHex(std::string_view bytes);

/// A file by its path from the top of the source tree, where tests run. Fails the test where it cannot be read.
std::string ReadSourceFile(const std::string& path);

}  // namespace sluice::protocol

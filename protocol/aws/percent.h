// Percent encoding as signatures want it (RFC 3986 section 2.3: letters, digits and -._~ stay). Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace sluice::protocol::aws {

/// Appends `text`; bytes of `also_plain` stay as they are too.
void AppendPercentEncoded(std::string& out, std::string_view text, std::string_view also_plain = {});
/// A plus sign stays one. nullopt for a percent sign without two hexadecimal digits behind it.
std::optional<std::string> PercentDecode(std::string_view text);

}  // namespace sluice::protocol::aws

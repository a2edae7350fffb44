// The tail of an ORC file, and how user metadata gets into it: Arrow's writer has no way to write any.
//
// A file ends with FOOTER POSTSCRIPT LENGTH, where LENGTH is one byte, the postscript's size. The postscript is a
// protocol buffer, never compressed, and says how long the footer is and how it is compressed. The footer is a protocol
// buffer cut into chunks, each with a header of three bytes, little-endian: twice its length, plus one where it stands
// as it is (without compression there are no chunks). A message may hold its fields in any order and ends where its
// bytes end, so a further field is a further chunk behind the footer: no byte of the footer changes, only its length in
// the postscript.
//
// Pure functions; thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "sluice/status.h"

namespace sluice::delivery {

/// Adds `name`: `value` to the user metadata of the file that `tail` ends, which begins in front of its footer. It has
/// no such name yet. kCorruption where `tail` is no ORC file's, which it is then left as.
Status AddOrcUserMetadata(std::string& tail, std::string_view name, std::string_view value);

}  // namespace sluice::delivery

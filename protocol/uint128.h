// The compiler's unsigned 128-bit integer under one name, for arithmetic on hash keys and sequence numbers.
#pragma once

namespace sluice::protocol {

__extension__ using Uint128 = unsigned __int128;

}  // namespace sluice::protocol

// The state is xxHash's own, behind a pointer: its header is large.
#include "broker/delivery/checksum.h"

#include <xxhash.h>

#include "protocol/check.h"

namespace sluice::delivery {

struct Checksum::State {
  std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> hash{XXH3_createState(), XXH3_freeState};
};

Checksum::Checksum() : state_(std::make_unique<State>()) {
  SLUICE_CHECK(state_->hash != nullptr);
  XXH3_64bits_reset(state_->hash.get());
}

Checksum::~Checksum() = default;

void Checksum::Add(std::string_view bytes) {
  XXH3_64bits_update(state_->hash.get(), bytes.data(), bytes.size());
  bytes_ += bytes.size();
}

std::uint64_t Checksum::value() const { return XXH3_64bits_digest(state_->hash.get()); }

}  // namespace sluice::delivery

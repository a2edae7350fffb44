// Consumer groups as the broker describes them, turned into the SDK's types, and positions into messages. Values only.
#pragma once

#include "sluice/types.h"

namespace sluice::native {
class GroupInfo;
class GroupPosition;
}  // namespace sluice::native

namespace sluice::client {

GroupDescription DescriptionOf(const native::GroupInfo& info);
void SetPosition(const Position& from, native::GroupPosition& to);

}  // namespace sluice::client

#pragma once

#include <optional>
#include <string>

#include "libruntime/network/rtnetlink.h"

// Network devices as the files of this room share them.
namespace hull::network {

// The device's number; nothing when there is none of this name.
std::optional<int> index_of(Rtnetlink& net, const std::string& name);

void set_link_up(Rtnetlink& net, int index);

// Whether the calling thread is in this network namespace. Throws Error.
bool is_own_namespace(int net_namespace);

}  // namespace hull::network

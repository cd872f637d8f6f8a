#pragma once

#include <map>
#include <string>

namespace hull::network {

// Moves network devices of the calling thread's network namespace into another one
// (config-linux.md#network-devices): name here -> name there (empty: the same; "%d" in it: a number
// that the kernel chooses). Permanent addresses of global scope go with them, and they are set up.
// Throws Error with the device's field; those already moved stay there.
void move_devices(const std::map<std::string, std::string>& devices, int net_namespace);

}  // namespace hull::network

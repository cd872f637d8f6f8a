#pragma once

#include "libruntime/configs/config.h"
#include "specconv/convert.h"

// What the convert*.cpp files have of each other.
namespace hull::specconv {

// Nodes (`out.devices`) and rules, the user's and the default ones. `out.uid_mappings` are set
// already.
void convert_devices(const Linux& in, configs::Config& out);

// Of hull's own annotations.
void convert_networks(const Spec& spec, configs::Config& out);

configs::Seccomp convert_seccomp(const Seccomp& in);

}  // namespace hull::specconv

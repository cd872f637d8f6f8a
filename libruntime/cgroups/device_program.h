#pragma once

#include <linux/bpf.h>

#include <string>
#include <vector>

#include "libruntime/configs/config.h"

namespace hull::cgroups {

// The rules as a BPF_PROG_TYPE_CGROUP_DEVICE program: it returns 1 to allow an access and 0 to deny
// it. Unlike the list of cgroup v1 it can say all that rules can. Pure.
std::vector<bpf_insn> device_program(const std::vector<configs::DeviceRule>& rules);

// Puts the program for `rules` on a cgroup of v2 and takes those away that were attached to this
// very cgroup before; at no moment devices are open that either denies. `fresh`: this process made
// the cgroup, nothing can be attached. Rules that deny nothing need no program. Throws Error.
void set_v2_devices(const std::string& dir, const std::vector<configs::DeviceRule>& rules,
                    bool fresh);

}  // namespace hull::cgroups

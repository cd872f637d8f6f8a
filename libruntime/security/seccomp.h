#pragma once

#include <optional>

#include "libruntime/configs/config.h"
#include "libruntime/configs/resolved.h"
#include "libruntime/system/fd.h"

// System call filters (seccomp(2), config-linux.md#seccomp).
namespace hull::security {

// The launcher's side: the BPF program of a profile, as runc makes it with libseccomp: the
// machine's own architecture is always covered; calls of an architecture that is not are killed; a
// rule with the default action is left out; system calls that libseccomp does not know are left out
// (debug log); two conditions on one argument become separate rules; absent flags mean
// SPEC_ALLOW where the kernel has it; system calls newer than the profile give ENOSYS. Which rule
// decides: seccomp_rules.h. An architecture of another byte order than the machine's is left out:
// no process can be of it. Throws Error with the field.
configs::SeccompProgram compile(const configs::Seccomp& profile);

// What the container's processes get, if anything: the profile, or by crun's annotation
// run.oci.seccomp_bpf_data a program in base64 that takes the place of the profile's rules.
std::optional<configs::SeccompProgram> program_for(const configs::Config& config);

// Whether the program lets this process make a system call of its own architecture.
bool allows(const configs::SeccompProgram& program, long call,
            std::initializer_list<uint64_t> arguments);

// Whether the kernel takes this SECCOMP_FILTER_FLAG_*.
bool seccomp_flag_supported(unsigned flag);

// hull-init's side: puts the filter on this thread; it needs no_new_privs or CAP_SYS_ADMIN. Returns
// the listener when the program notifies, else an empty Fd. From here on the filter judges every
// system call, so the number of the listener must leave by write(2): compile() sees to it that this
// one does not wait for the listener. Throws Error.
Fd load(const configs::SeccompProgram& program);

}  // namespace hull::security

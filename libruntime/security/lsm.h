#pragma once

#include <string>
#include <string_view>

#include "libruntime/system/proc_fs.h"

// Linux security modules: AppArmor profiles and SELinux labels (config.md#linux-process).
namespace hull::security {

// Whether the running kernel enforces with the module. Asked on the host (`sys` is its /sys), never
// in a container, whose /sys says nothing.
bool apparmor_enabled(const std::string& sys = "/sys");
bool selinux_enabled();

// The launcher's side: what hull-init has to write, empty when nothing. Throws Error when the
// configuration asks for a module that the kernel lacks; the profile "unconfined" is met without
// AppArmor.
std::string resolve_apparmor_profile(const std::string& profile);
// `field` is where the label stands ("/process/selinuxLabel", "/linux/mountLabel").
std::string resolve_selinux_label(const std::string& label, std::string_view field);

// hull-init's side. An empty profile or label does nothing. All throw Error.

// The profile takes effect at the next execve(2).
void set_apparmor_profile(const ProcFs& proc, const std::string& profile);
// The same for the SELinux label of the process.
void set_selinux_exec_label(const ProcFs& proc, const std::string& label);
// The label of the keyrings that this thread makes from now on.
void set_selinux_key_label(const ProcFs& proc, const std::string& label);
// Back to the policy's choice; only after a label was set.
void clear_selinux_key_label(const ProcFs& proc);

}  // namespace hull::security

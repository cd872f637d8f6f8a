#pragma once

#include "specconv/findings.h"
#include "specconv/spec.h"

// What this host lacks for a configuration.
namespace hull::specconv {

void look_at_host(const Spec& spec, const Options& options, Findings& findings);

// Its parts. `config` is what the configuration comes to.
void look_at_process(const Spec& spec, const std::string& rootfs, Findings& findings);
void look_at_mounts(const configs::Config& config, Findings& findings);
void look_at_hooks(const Hooks& hooks, const std::string& rootfs, Findings& findings);
void look_at_kernel(const Linux& in, Findings& findings);
void look_at_cgroups(const configs::Config& config, Findings& findings);

}  // namespace hull::specconv

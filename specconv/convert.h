#pragma once

#include <string>

#include "libruntime/configs/config.h"
#include "specconv/spec.h"

// A validated configuration (validate.h) to the runtime's own, filled up with runc's defaults.
namespace hull::specconv {

// What the caller says beside config.json.
struct Options {
  std::string id;
  std::string bundle;           // absolute
  bool systemd_cgroup = false;  // cgroupsPath is "slice:prefix:name"
  bool no_cgroups = false;      // cgroupsPath and device rules don't count, limits are errors
  bool no_pivot = false;
  bool no_new_keyring = false;
  bool rootless_euid = false;     // the effective user is not root
  bool rootless_cgroups = false;  // cgroups may be out of reach
};

// Looks at the host too (host_checks.h). Throws hull::Error with the field when something does not
// fit.
configs::Config to_config(const Spec& spec, const Options& options);

// The same without a look at the host: for tests and fuzzing.
configs::Config convert(const Spec& spec, const Options& options);

configs::Process to_process(const Process& process);

// The limits that are given, without the device rules (`update` must never touch them).
configs::Resources to_limits(const Resources& resources);

// cpu.shares (2-262144) to cpu.weight (1-10000) of cgroup v2: 1024 becomes 100. 0 stays 0.
uint64_t cpu_weight(uint64_t shares);

}  // namespace hull::specconv

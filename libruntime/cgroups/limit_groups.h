#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"

namespace hull::cgroups {

// The limits that one controller takes care of.
struct LimitGroup {
  std::string_view v1;     // the controller of cgroup v1
  std::string_view v2;     // of v2; empty: v2 has none
  bool threaded;           // whether it works in a threaded cgroup (cgroups(7))
  std::string_view field;  // of the config
  bool (*asked)(const configs::Resources&);
  void (*copy)(const configs::Resources& from, configs::Resources& to);
};

// Those of which something is asked. Device rules are no limits, and not here.
std::vector<const LimitGroup*> asked_groups(const configs::Resources& resources);

// "memory" of "memory.max": the controller of a file of cgroup v2; "cgroup" for the core's own.
std::string_view controller_of(std::string_view file);
// The groups' v2 controllers and those of the unified keys, each once.
struct NeededController {
  std::string name;
  std::string field;
  bool threaded = false;
};
std::vector<NeededController> needed_v2_controllers(const configs::Resources& resources);

}  // namespace hull::cgroups

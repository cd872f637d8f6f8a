#pragma once

#include <string>
#include <vector>

#include "conformance/suite/case.h"
#include "conformance/suite/result.h"

namespace hull::conformance {

struct PlayOptions {
  int jobs = 1;
  std::string probe;  // path of the probe
  bool pure_v1 = false;
};

// Plays all cases with one runtime, `jobs` at a time, each in a process of its own: a harness
// process can then be the reaper of its containers. The workers live in a mount namespace of their
// own with a shared root, as on a host with systemd; `pure_v1` unmounts the v2 hierarchy there,
// which a runtime that refuses hybrid hosts needs. Results in the order of the cases.
std::vector<Result> play_all(const std::vector<Case>& cases, const Runtime& runtime,
                             const PlayOptions& options);

// The mount namespace of such a worker, for this process.
void enter_own_mounts(bool pure_v1);

}  // namespace hull::conformance

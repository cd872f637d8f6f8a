#pragma once

#include "libruntime/configs/config.h"

namespace hull::scheduling {

// Keeps the calling thread on the given CPUs, as long as it lives; an empty mask changes nothing.
// Throws Error.
class AffinityScope {
 public:
  explicit AffinityScope(const configs::CpuMask& cpus);
  ~AffinityScope();
  AffinityScope(const AffinityScope&) = delete;
  AffinityScope& operator=(const AffinityScope&) = delete;

 private:
  configs::CpuMask before_;
};

}  // namespace hull::scheduling

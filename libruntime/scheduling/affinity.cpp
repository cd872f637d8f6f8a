#include "libruntime/scheduling/affinity.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/number_list.h"

// The system calls themselves: the libc's cpu_set_t ends at 1024 CPUs.
namespace hull::scheduling {
namespace {

configs::CpuMask own_cpus() {
  configs::CpuMask mask((kMaxListed + 1) / 64);
  const long bytes = syscall(SYS_sched_getaffinity, 0, mask.size() * 8, mask.data());
  if (bytes < 0) throw Error("cannot read the CPU affinity", "sched_getaffinity", errno);
  mask.resize((static_cast<size_t>(bytes) + 7) / 8);
  return mask;
}

long set_own_cpus(const configs::CpuMask& mask) {
  return syscall(SYS_sched_setaffinity, 0, mask.size() * 8, mask.data());
}

}  // namespace

AffinityScope::AffinityScope(const configs::CpuMask& cpus) {
  if (cpus.empty()) return;
  before_ = own_cpus();
  if (set_own_cpus(cpus) != 0)
    throw Error("cannot run on these CPUs", "sched_setaffinity", errno)
        .field("/process/execCPUAffinity/initial");
}

AffinityScope::~AffinityScope() {
  // They were ours a moment ago; where they have been taken offline, the kernel has chosen others.
  if (!before_.empty()) (void)set_own_cpus(before_);
}

}  // namespace hull::scheduling

#include "libruntime/scheduling/priority.h"

#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <string>

#include "libruntime/configs/names.h"
#include "libruntime/system/error.h"

namespace hull::scheduling {
namespace {

// struct sched_attr as of Linux 5.3; the libc's headers have none.
struct SchedulerAttributes {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
  uint32_t util_min;
  uint32_t util_max;
};

constexpr int kIoPriorityWhoProcess = 1;
constexpr int kIoPriorityClassShift = 13;

constexpr int kSchedIso = 4;  // reserved in the kernel's headers, without a name

std::string_view hint(int policy, int code) {
  if (policy == kSchedIso) return "no released kernel has SCHED_ISO";
  if (code == EOPNOTSUPP) return "utilization clamping needs a kernel with CONFIG_UCLAMP_TASK";
  if (code == EBUSY) return "the CPUs have not so much time left for SCHED_DEADLINE";
  if (code != EPERM) return {};
  if (policy == SCHED_DEADLINE)
    return "this takes CAP_SYS_NICE, and can't be used together with a cpuset";
  if (policy == SCHED_FIFO || policy == SCHED_RR)
    return "this takes CAP_SYS_NICE, and in a v1 cpu cgroup realtimeRuntime";
  return "this takes CAP_SYS_NICE";
}

}  // namespace

void set_scheduler(pid_t pid, const configs::Scheduler& in) {
  SchedulerAttributes attributes{};
  attributes.size = sizeof attributes;
  attributes.policy = static_cast<uint32_t>(in.policy);
  for (const uint64_t flag : in.flags) attributes.flags |= flag;
  attributes.nice = in.nice;
  attributes.priority = static_cast<uint32_t>(in.priority);
  attributes.runtime = in.runtime;
  attributes.deadline = in.deadline;
  attributes.period = in.period;
  if (syscall(SYS_sched_setattr, pid, &attributes, 0) == 0) return;
  const int code = errno;
  throw Error("cannot set the scheduler " +
                  std::string(configs::name_of(configs::kSchedulerPolicies, in.policy)),
              "sched_setattr", code)
      .field("/process/scheduler")
      .hint(hint(in.policy, code));
}

void set_io_priority(pid_t pid, const configs::IoPriority& in) {
  const int value = in.io_class << kIoPriorityClassShift | in.priority;
  if (syscall(SYS_ioprio_set, kIoPriorityWhoProcess, pid, value) == 0) return;
  const int code = errno;
  throw Error("cannot set the I/O priority " +
                  std::string(configs::name_of(configs::kIoClasses, in.io_class)) + " " +
                  std::to_string(in.priority),
              "ioprio_set", code)
      .field("/process/ioPriority")
      .hint(code == EPERM ? "IOPRIO_CLASS_RT takes CAP_SYS_NICE or CAP_SYS_ADMIN" : "");
}

}  // namespace hull::scheduling

#include <linux/sched.h>

#include <algorithm>

#include "libruntime/system/error.h"
#include "specconv/names.h"
#include "specconv/validate.h"
#include "specconv/validate_parts.h"

// config.md#process
namespace hull::specconv {
namespace {

constexpr uint64_t kMaxConsoleSide = 65535;  // struct winsize, ioctl_tty(2)

void check_rlimits(const Process& process, std::string_view base, Problems& problems) {
  for (size_t i = 0; i < process.rlimits.size(); ++i) {
    const configs::Rlimit& limit = process.rlimits[i];
    if (limit.soft > limit.hard)  // setrlimit(2): EINVAL
      problems.add(pointer_to(base, "rlimits", i, "soft"), "is above the hard limit");
  }
}

// sched_setattr(2). What the kernel of this host grants is known only when it is asked.
void check_scheduler(const configs::Scheduler& in, const std::string& base, Problems& problems) {
  const bool real_time = in.policy == SCHED_FIFO || in.policy == SCHED_RR;
  // With a SCHED_FLAG_KEEP_* flag the values of the moment count, not these.
  const bool keeps = std::any_of(in.flags.begin(), in.flags.end(),
                                 [](uint64_t flag) { return (flag & SCHED_FLAG_KEEP_ALL) != 0; });
  if (in.nice < -20 || in.nice > 19) problems.add(base + "/nice", "must be from -20 to 19");
  if (!real_time && in.priority != 0)
    problems.add(base + "/priority", "can only be specified for SCHED_FIFO or SCHED_RR");
  if (real_time && (in.priority < (keeps ? 0 : 1) || in.priority > 99))
    problems.add(base + "/priority", "must be from 1 to 99");
  if (in.policy == SCHED_DEADLINE) return;
  for (const auto& [key, value] :
       {std::pair{"/runtime", in.runtime}, {"/deadline", in.deadline}, {"/period", in.period}})
    if (value != 0) problems.add(base + key, "can only be specified for SCHED_DEADLINE");
}

}  // namespace

void check_process(const Process& process, std::string_view base, Problems& problems) {
  // Without a terminal the size means nothing and MUST be ignored.
  if (process.terminal && process.console_size &&
      (process.console_size->height > kMaxConsoleSide ||
       process.console_size->width > kMaxConsoleSide)) {
    problems.add(pointer_to(base, "consoleSize"), "is larger than 65535");
  }
  if (process.umask && *process.umask > 0777)
    problems.add(pointer_to(base, "user", "umask"), "is not within 0777 (511 in decimal)");
  if (process.args.empty()) problems.add(pointer_to(base, "args"), "args must not be empty");
  for (size_t i = 0; i < process.env.size(); ++i) {
    if (const auto wrong = env_problem(process.env[i]); wrong)
      problems.add(pointer_to(base, "env", i), *wrong);
  }
  if (process.cwd.empty())
    problems.add(pointer_to(base, "cwd"), "Cwd property must not be empty");
  else if (!process.cwd.starts_with('/'))
    problems.add(pointer_to(base, "cwd"),
                 "Cwd must be an absolute path, not " + quote(process.cwd));
  check_rlimits(process, base, problems);
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000))
    problems.add(pointer_to(base, "oomScoreAdj"), "must be from -1000 to 1000");
  if (process.scheduler)
    check_scheduler(*process.scheduler, pointer_to(base, "scheduler"), problems);
  if (process.io_priority &&
      (process.io_priority->priority < 0 || process.io_priority->priority > 7))
    problems.add(pointer_to(base, "ioPriority", "priority"), "must be from 0 to 7");
}

}  // namespace hull::specconv

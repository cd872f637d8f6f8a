#include "specconv/convert.h"

namespace hull::specconv {

configs::Process to_process(const Process& process) {
  configs::Process out;
  out.terminal = process.terminal;
  if (process.terminal && process.console_size) {
    out.console_rows = static_cast<unsigned short>(process.console_size->height);
    out.console_columns = static_cast<unsigned short>(process.console_size->width);
  }
  out.uid = process.uid;
  out.gid = process.gid;
  out.additional_gids = process.additional_gids;
  out.umask = process.umask;
  out.args = process.args;
  out.env = process.env;
  out.cwd = process.cwd;
  out.capabilities = process.capabilities;
  out.rlimits = process.rlimits;
  out.no_new_privileges = process.no_new_privileges;
  out.apparmor_profile = process.apparmor_profile;
  out.selinux_label = process.selinux_label;
  out.oom_score_adj = process.oom_score_adj;
  out.scheduler = process.scheduler;
  out.io_priority = process.io_priority;
  out.exec_cpu_affinity = process.exec_cpu_affinity;
  return out;
}

}  // namespace hull::specconv

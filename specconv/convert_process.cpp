#include <algorithm>
#include <unordered_set>

#include "specconv/convert.h"

namespace hull::specconv {
namespace {

// execve(2) would hand on duplicates; most programs then see the first, the user meant the last.
std::vector<std::string> last_of_each(const std::vector<std::string>& env) {
  std::vector<std::string> out;
  out.reserve(env.size());
  std::unordered_set<std::string_view> seen;
  for (size_t i = env.size(); i > 0; --i) {
    const std::string_view entry = env[i - 1];
    if (seen.insert(entry.substr(0, entry.find('='))).second) out.emplace_back(entry);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

configs::Process to_process(const Process& process, const configs::Config& config) {
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
  out.env = last_of_each(process.env);
  out.cwd = process.cwd;
  out.capabilities = process.capabilities ? process.capabilities : config.capabilities;
  out.rlimits = process.rlimits.empty() ? config.rlimits : process.rlimits;
  out.no_new_privileges = process.no_new_privileges;
  out.apparmor_profile =
      process.apparmor_profile.empty() ? config.apparmor_profile : process.apparmor_profile;
  out.selinux_label = process.selinux_label.empty() ? config.process_label : process.selinux_label;
  out.oom_score_adj = process.oom_score_adj ? process.oom_score_adj : config.oom_score_adj;
  out.scheduler = process.scheduler ? process.scheduler : config.scheduler;
  out.io_priority = process.io_priority ? process.io_priority : config.io_priority;
  out.exec_cpu_affinity =
      process.exec_cpu_affinity ? process.exec_cpu_affinity : config.exec_cpu_affinity;
  return out;
}

}  // namespace hull::specconv

#include "libruntime/launch/process_defaults.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/root_path.h"
#include "libruntime/system/users.h"

namespace hull::launch {
namespace {

constexpr size_t kMaxFile = size_t{1} << 20;

// The image decides what it is: never a device, or a FIFO that would block. One that is missing is
// empty.
std::string text_below(const RootPath& root, const char* path) {
  const Fd fd = root.try_open(path, O_RDONLY | O_NONBLOCK);
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};
    throw Error("cannot open " + std::string(path) + " of the container", "openat2", errno);
  }
  struct stat info {};
  if (fstat(fd.get(), &info) != 0)
    throw Error("cannot look at " + std::string(path) + " of the container", "fstat", errno);
  return S_ISREG(info.st_mode) ? read_all(fd.get(), path, kMaxFile) : "";
}

template <class Value>
void take_default(Value& value, const Value& fallback, bool missing) {
  if (missing) value = fallback;
}

}  // namespace

configs::Process with_defaults(configs::Process process, const configs::Config& config) {
  configs::Process& out = process;
  take_default(out.capabilities, config.capabilities, !out.capabilities);
  take_default(out.rlimits, config.rlimits, out.rlimits.empty());
  take_default(out.apparmor_profile, config.apparmor_profile, out.apparmor_profile.empty());
  take_default(out.selinux_label, config.process_label, out.selinux_label.empty());
  take_default(out.oom_score_adj, config.oom_score_adj, !out.oom_score_adj);
  take_default(out.scheduler, config.scheduler, !out.scheduler);
  take_default(out.io_priority, config.io_priority, !out.io_priority);
  take_default(out.exec_cpu_affinity, config.exec_cpu_affinity, !out.exec_cpu_affinity);
  return process;
}

void look_up_user(configs::Process& process, const std::string& user, const std::string& root) {
  const RootPath top = RootPath::at(root);
  try {
    UserIds ids = find_user(text_below(top, "/etc/passwd"), text_below(top, "/etc/group"), user);
    process.uid = ids.uid;
    process.gid = ids.gid;
    process.additional_gids = std::move(ids.groups);
  } catch (Error& e) {
    e.set_field("/process/user");
    throw;
  }
}

}  // namespace hull::launch

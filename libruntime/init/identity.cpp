#include <fcntl.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "libruntime/init/steps.h"
#include "libruntime/security/capabilities.h"
#include "libruntime/security/lsm.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"
#include "libruntime/system/users.h"

namespace hull::init {
namespace {

constexpr size_t kMaxPasswd = size_t{1} << 20;

// An image decides what /etc/passwd is: never a magic link, never a device or a FIFO that would
// block.
std::string passwd_text() {
  const Fd fd(sys::openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0,
                           RESOLVE_NO_MAGICLINKS | RESOLVE_IN_ROOT));
  struct stat info {};
  if (!fd) {
    // A file that can't be read is not a missing file.
    if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return {};
    throw Error("cannot open /etc/passwd of the container", "openat2", errno);
  }
  if (fstat(fd.get(), &info) != 0)
    throw Error("cannot look at /etc/passwd of the container", "fstat", errno);
  if (!S_ISREG(info.st_mode)) return {};
  return read_all(fd.get(), "/etc/passwd", kMaxPasswd);
}

// runc: HOME of the user's passwd entry when it is not set or empty, else "/".
void set_home(plan::Process& process) {
  std::string* empty = nullptr;
  for (std::string& variable : process.env) {
    if (!variable.starts_with("HOME=")) continue;
    if (variable.size() > 5) return;
    empty = &variable;
  }
  std::string home = home_of(passwd_text(), process.uid).value_or("");
  if (home.empty()) home = "/";
  if (empty == nullptr) empty = &process.env.emplace_back();
  *empty = "HOME=" + home;
}

// The program's own terminal and pipes belong to its user; a file, a device or a socket of the host
// never changes hands (CVE-2026-88265).
void give_stdio_to(const plan::Process& process) {
  for (int fd = 0; fd <= 2; ++fd) {
    struct stat info {};
    if (fstat(fd, &info) != 0 || info.st_uid == process.uid) continue;
    const bool terminal =
        S_ISCHR(info.st_mode) && major(info.st_rdev) >= 136 && major(info.st_rdev) <= 143;
    if (!terminal && !S_ISFIFO(info.st_mode)) continue;
    // EINVAL: the user is not mapped where the pipe was made; EPERM and EROFS: it isn't ours to
    // give.
    if (fchown(fd, process.uid, process.gid) != 0 && errno != EINVAL && errno != EPERM &&
        errno != EROFS)
      throw Error("cannot give standard stream " + std::to_string(fd) + " to the user", "fchown",
                  errno);
  }
}

void set_rlimits(const plan::Process& process) {
  for (const configs::Rlimit& limit : process.rlimits) {
    const rlimit value{limit.soft, limit.hard};
    if (setrlimit(static_cast<__rlimit_resource>(limit.type), &value) != 0)
      throw Error("cannot set rlimit " + std::to_string(limit.type) + " to " +
                      std::to_string(limit.soft) + ":" + std::to_string(limit.hard),
                  "setrlimit", errno)
          .field("/process/rlimits");
  }
}

// getcwd(2) of a directory outside of the root says "(unreachable)" (CVE-2024-21626).
void verify_cwd(const std::string& wanted) {
  char path[PATH_MAX];
  const long length = syscall(SYS_getcwd, path, sizeof path);
  if (length < 0 && errno != ENOENT)
    throw Error("cannot verify the working directory", "getcwd", errno);
  if (length < 0 || path[0] != '/')
    throw Error(
        "current working directory is outside of container mount namespace root -- possible "
        "container breakout: " +
        quote(wanted))
        .field("/process/cwd");
}

[[noreturn]] void chdir_failed(const std::string& path) {
  throw Error("chdir to cwd (" + quote(path) + ") set in config.json failed", "chdir", errno)
      .field("/process/cwd");
}

// user_namespaces(7): there nobody may set groups, nor drop the caller's, which are of no ID
// inside.
bool setgroups_denied(Session& session) {
  const Fd file = session.trusted_proc().open_file("self/setgroups", O_RDONLY);
  return trim(read_all(file.get(), "/proc/self/setgroups")) == "deny";
}

void set_supplementary_groups(Session& session) {
  const plan::Process& process = session.plan.process;
  if (!process.set_groups || setgroups(process.groups.size(), process.groups.data()) == 0) return;
  const int code = errno;
  const bool denied = code == EPERM && setgroups_denied(session);
  if (denied && process.groups.empty()) return;
  throw Error(denied ? "cannot set any additional groups in a rootless container"
                     : "cannot set the supplementary groups",
              "setgroups", code)
      .field("/process/user/additionalGids")
      .hint(denied           ? "a mapping of the caller's own group alone denies setgroups(2)"
            : code == EINVAL ? "are all of them mapped in the user namespace?"
                             : "");
}

void change_user(Session& session) {
  const plan::Process& process = session.plan.process;
  set_supplementary_groups(session);
  if (setresgid(process.gid, process.gid, process.gid) != 0)
    throw Error("cannot become group " + std::to_string(process.gid), "setresgid", errno)
        .field("/process/user/gid")
        .hint(errno == EINVAL ? "is the ID mapped in the user namespace?" : "");
  if (setresuid(process.uid, process.uid, process.uid) != 0)
    throw Error("cannot become user " + std::to_string(process.uid), "setresuid", errno)
        .field("/process/user/uid")
        .hint(errno == EINVAL ? "is the ID mapped in the user namespace?" : "");
}

// The listener's number goes by write(2), the one call that a profile may not redirect to it; the
// launcher takes the descriptor itself (pidfd_getfd(2)).
void hand_over_listener(Session& session, const Fd& listener) {
  session.channel.send_number(plan::MessageType::seccomp_listener, listener.get());
  session.wait_to_proceed();
}

}  // namespace

void load_seccomp(Session& session) {
  const auto& program = session.plan.process.seccomp;
  if (!program) return;
  const Fd listener = security::load(*program);
  if (listener) hand_over_listener(session, listener);
}

void become_user(Session& session) {
  plan::Process& process = session.plan.process;
  if (!session.plan.has_process) return;
  if (process.terminal == false) give_stdio_to(process);
  set_home(process);
  if (!process.apparmor_profile.empty())
    security::set_apparmor_profile(session.trusted_proc(), process.apparmor_profile);
  if (!process.selinux_label.empty())
    security::set_selinux_exec_label(session.trusted_proc(), process.selinux_label);
  if (process.umask) umask(*process.umask);
  if (!session.plan.rlimits_from_outside) set_rlimits(process);
  if (!close_from(3 + process.preserve_fds, CLOSE_RANGE_CLOEXEC))
    throw Error("cannot keep our own descriptors from the program", "close_range", errno);
  if (process.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    throw Error("cannot set no_new_privs", "prctl", errno).field("/process/noNewPrivileges");
  // Without no_new_privs loading a filter needs CAP_SYS_ADMIN: it has to be now (seccomp(2)).
  if (!process.no_new_privileges) load_seccomp(session);

  // As root first; where only the user may enter, once more as the user.
  const bool entered = process.cwd == "/" || chdir(process.cwd.c_str()) == 0;
  if (!entered && errno != EACCES && errno != EPERM) chdir_failed(process.cwd);
  if (process.capabilities) {
    security::drop_bounding(*process.capabilities);
    security::keep_over_setuid(true);
  }
  change_user(session);
  if (!entered && chdir(process.cwd.c_str()) != 0) chdir_failed(process.cwd);
  verify_cwd(process.cwd);
  if (process.capabilities) security::apply(*process.capabilities);
}

}  // namespace hull::init

#include "libruntime/launch/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "libruntime/init/init.h"
#include "libruntime/launch/init_executable.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

// Where a newborn failed: it can only send a number.
enum class Step { enter_cgroup, become_root, join_user_namespace, clone_again, keep_channel, exec };
constexpr std::array kSteps{
    "open or write tasks of the cgroup", "setresuid", "setns", "clone3", "dup3", "execveat"};

struct Newborn {
  const std::vector<std::string>& task_files;
  int executable;
  int channel;
  int channel_home;  // where hull-init expects it
  int launcher_end;  // closed, or the launcher's death would not be seen
  char* const* argv;
  uint64_t ignored_signals;
  bool wait_for_maps;
  int user_namespace;
  uint64_t flags_inside;  // namespaces made after joining the user namespace
  int pid_pipe;           // tells the pid of the second process
};

[[noreturn]] void fail(const Newborn& newborn, Step step) {
  const int number = static_cast<int>(step) << 16 | errno;
  const plan::RawNumber packet = plan::raw_number(plan::MessageType::stillborn, number);
  if (write(newborn.channel, &packet, sizeof packet) < 0) _exit(126);
  _exit(127);
}

void become_root(const Newborn& newborn) {
  if (syscall(SYS_setresgid, 0, 0, 0) != 0 || syscall(SYS_setresuid, 0, 0, 0) != 0)
    fail(newborn, Step::become_root);
}

// The clone's way to execveat: raw system calls only.
[[noreturn]] void be_born(const Newborn& newborn) {
  // A process that writes "0" for itself skips the RCU wait of cgroup.procs (DESIGN 4).
  for (const std::string& path : newborn.task_files) {
    const int tasks = open(path.c_str(), O_WRONLY | O_CLOEXEC);  // execve closes it
    if (tasks < 0 || write(tasks, "0", 1) != 1) fail(newborn, Step::enter_cgroup);
  }
  // The caller's affinity is none of the container's: the cpuset alone decides (config-linux.md
  // leaves it open; runc does so). More bits than there are CPUs do no harm, and a refusal leaves
  // things as they are.
  unsigned long all_cpus[16];
  std::memset(all_cpus, 0xff, sizeof all_cpus);
  (void)syscall(SYS_sched_setaffinity, 0, sizeof all_cpus, all_cpus);
  if (newborn.user_namespace >= 0) {
    if (setns(newborn.user_namespace, CLONE_NEWUSER) != 0) fail(newborn, Step::join_user_namespace);
    become_root(newborn);
    clone_args args{};
    args.flags = CLONE_PARENT | newborn.flags_inside;
    const pid_t pid = sys::clone3(&args);
    if (pid < 0) fail(newborn, Step::clone_again);
    if (pid > 0) _exit(write(newborn.pid_pipe, &pid, sizeof pid) == sizeof pid ? 0 : 1);
  }
  if (newborn.wait_for_maps) {
    char go = 0;
    close(newborn.launcher_end);
    if (read(newborn.channel, &go, 1) != 1) _exit(1);
    become_root(newborn);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  for (int i = 1; i <= 64; ++i)
    if ((newborn.ignored_signals >> (i - 1) & 1) != 0) std::signal(i, SIG_DFL);
  // The copy is not close-on-exec.
  if (newborn.channel == newborn.channel_home ? fcntl(newborn.channel, F_SETFD, 0) != 0
                                              : dup3(newborn.channel, newborn.channel_home, 0) < 0)
    fail(newborn, Step::keep_channel);
  char* const no_env[] = {nullptr};
  sys::execveat(newborn.executable, "", newborn.argv, no_env, AT_EMPTY_PATH);
  fail(newborn, Step::exec);
}

// Ignored signals survive execve: the container must not inherit a caller's (proc(5), SigIgn).
uint64_t ignored_signals() {
  const std::string status = read_value_if_exists("/proc/self/status").value_or("");
  const size_t at = status.find("\nSigIgn:\t");
  if (at == std::string::npos) return 0;
  return parse_number<uint64_t>(std::string_view(status).substr(at + 9, 16), 16).value_or(0);
}

std::string map_text(const std::vector<configs::IdMap>& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + " " + std::to_string(map.host_id) + " " +
           std::to_string(map.size) + "\n";
  return out;
}

void write_map(pid_t pid, const char* file, const char* field,
               const std::vector<configs::IdMap>& maps) {
  try {
    write_existing("/proc/" + std::to_string(pid) + "/" + file, map_text(maps));
  } catch (Error& e) {
    e.set_field(field);
    throw;
  }
}

// Enters a PID namespace for the children of this thread, and leaves it again.
class PidNamespaceScope {
 public:
  explicit PidNamespaceScope(int target) {
    if (target < 0) return;
    own_ = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/pid_for_children", O_RDONLY);
    if (setns(target, CLONE_NEWPID) != 0)
      throw Error("cannot join the pid namespace", "setns", errno).field("/linux/namespaces");
  }
  ~PidNamespaceScope() {
    // It was ours a moment ago: this can't fail, and there is nothing to do if it did.
    if (own_) (void)setns(own_.get(), CLONE_NEWPID);
  }

 private:
  Fd own_;
};

Fd out_of_the_way(Fd fd, int place) {
  if (fd.get() != place) return fd;
  Fd moved(fcntl(fd.get(), F_DUPFD_CLOEXEC, place + 1));
  if (!moved) throw Error("cannot move a descriptor", "fcntl", errno);
  return moved;
}

pid_t clone_or_throw(clone_args& args) {
  const pid_t pid = sys::clone3(&args);
  if (pid < 0) {
    Error error("cannot make the container's first process", "clone3", errno);
    if (errno == ENOSPC || errno == EUSERS)
      error.set_hint("a limit in /proc/sys/user/max_*_namespaces is reached");
    if (errno == EPERM) error.set_hint("making namespaces takes CAP_SYS_ADMIN");
    if (errno == EBUSY || errno == EOPNOTSUPP) error.set_field("/linux/cgroupsPath");
    throw error;
  }
  return pid;
}

}  // namespace

Child spawn(Birth birth) {
  // hull-init finds its channel behind the preserved descriptors: nothing it needs may be in that
  // place.
  const int channel_home = 3 + static_cast<int>(birth.preserve_fds);
  const Fd executable = out_of_the_way(open_init_executable(), channel_home);
  auto [ours, theirs] = plan::Channel::make_pair();
  Fd pid_read, pid_write;
  const bool twice = birth.user_namespace >= 0;
  if (twice) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
    pid_read.reset(ends[0]);
    pid_write.reset(ends[1]);
  }
  const std::vector<std::string> words{init::kName, std::to_string(birth.preserve_fds)};
  const auto argv = c_strings(words);
  const bool new_user = (birth.new_namespaces & CLONE_NEWUSER) != 0;
  const Newborn newborn{birth.entrance.task_files,
                        executable.get(),
                        theirs.fd(),
                        channel_home,
                        ours.fd(),
                        argv.data(),
                        ignored_signals(),
                        new_user,
                        birth.user_namespace,
                        birth.new_namespaces,
                        pid_write.get()};

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD | (twice ? 0 : birth.new_namespaces);
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (birth.entrance.unified) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(birth.entrance.unified.get());
  }
  pid_t pid = 0;
  {
    const PidNamespaceScope scope(birth.pid_namespace);
    pid = clone_or_throw(args);
    if (pid == 0) be_born(newborn);
  }
  Child child{pid, Fd(pidfd), std::move(ours)};
  theirs.close();
  try {
    if (twice) {
      pid_write.reset();
      pid_t second = 0;
      const bool told = read(pid_read.get(), &second, sizeof second) == sizeof second;
      wait_for(pid);
      if (told) {
        child.pid = second;
        child.pidfd.reset(sys::pidfd_open(second, 0));
      }
    }
    if (new_user) {
      write_map(pid, "uid_map", "/linux/uidMappings", *birth.uid_mappings);
      write_map(pid, "gid_map", "/linux/gidMappings", *birth.gid_mappings);
      if (write(child.channel.fd(), "m", 1) != 1)
        throw Error("the container's first process died early", "write", errno);
    }
  } catch (...) {
    sys::pidfd_send_signal(child.pidfd.get(), SIGKILL);
    wait_for(child.pid);
    throw;
  }
  return child;
}

Error stillborn_error(int number) {
  const auto step = static_cast<size_t>(number >> 16);
  return Error("the container's first process failed before it became hull-init",
               step < kSteps.size() ? kSteps[step] : "?", number & 0xffff);
}

}  // namespace hull::launch

#include "libruntime/launch/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <utility>

#include "libruntime/configs/names.h"
#include "libruntime/init/init.h"
#include "libruntime/launch/id_maps.h"
#include "libruntime/launch/init_executable.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::launch {
namespace {

// Where a newborn failed: it can only send a number.
enum class Step {
  enter_cgroup,
  set_affinity,
  become_root,
  join_user_namespace,
  join_pid_namespace,
  make_time_namespace,
  set_time_offsets,
  clone_again,
  place_descriptors,
  keep_channel,
  exec,
  reset_signals
};
struct StepName {
  const char* call;
  const char* field;  // of config.json, when one is to blame
};
constexpr std::array kSteps{StepName{"open or write tasks of the cgroup", ""},
                            StepName{"sched_setaffinity", "/process/execCPUAffinity/final"},
                            StepName{"setresuid", ""},
                            StepName{"setns to the user namespace", ""},
                            StepName{"setns to the pid namespace", ""},
                            StepName{"unshare", "/linux/namespaces"},
                            StepName{"write timens_offsets", "/linux/timeOffsets"},
                            StepName{"clone3", ""},
                            StepName{"dup3", ""},
                            StepName{"dup3", ""},
                            StepName{"execveat", ""},
                            StepName{"sigprocmask or sigaction", ""}};

constexpr std::chrono::milliseconds kPatience{250};
constexpr std::chrono::duration<int, std::milli> kEndLimit{2000};

// A descriptor that gets a number of its own in the container.
struct Placed {
  Fd fd;  // a copy, with a number that no one is placed at
  int place;
};

// As many as a kernel can have (NR_CPUS).
constexpr size_t kMaxCpus = 8192;

struct Newborn {
  const std::vector<std::string>& task_files;
  int executable;
  int channel;
  int channel_home;  // where hull-init expects it
  int launcher_end;  // closed, or the launcher's death would not be seen
  char* const* argv;
  uint64_t ignored_signals;
  const configs::CpuMask* cpus;
  bool wait_for_maps;
  int user_namespace;
  int pid_namespace;  // joined after the user namespace
  const std::string& time_offsets;
  bool clone_again;
  uint64_t flags_inside;  // namespaces of the second process
  int birth_socket;       // on which the second process tells its birth
  const std::vector<Placed>& placed;
};

// Between clone and execve no function of a library runs: it might want a lock that another thread
// of the program held at the clone.
int raw_open(const char* path) {
  return static_cast<int>(syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC));
}

long raw_write(int fd, const void* data, size_t size) { return syscall(SYS_write, fd, data, size); }

[[noreturn]] void fail(const Newborn& newborn, Step step) {
  const int number = static_cast<int>(step) << 16 | errno;
  const plan::RawNumber packet = plan::raw_number(plan::MessageType::stillborn, number);
  if (raw_write(newborn.channel, &packet, sizeof packet) < 0) _exit(126);
  _exit(127);
}

void become_root(const Newborn& newborn) {
  if (syscall(SYS_setresgid, 0, 0, 0) != 0 || syscall(SYS_setresuid, 0, 0, 0) != 0)
    fail(newborn, Step::become_root);
}

// The caller's affinity is none of the container's: the cpuset alone decides (config-linux.md
// leaves it open; runc does so), unless `exec` asks for CPUs.
void set_affinity(const Newborn& newborn) {
  if (newborn.cpus != nullptr && !newborn.cpus->empty()) {
    if (syscall(SYS_sched_setaffinity, 0, newborn.cpus->size() * 8, newborn.cpus->data()) != 0)
      fail(newborn, Step::set_affinity);
    return;
  }
  // More bits than there are CPUs do no harm, and a refusal leaves things as they are.
  unsigned char all_cpus[kMaxCpus / 8];
  std::memset(all_cpus, 0xff, sizeof all_cpus);
  (void)syscall(SYS_sched_setaffinity, 0, sizeof all_cpus, all_cpus);
}

// The offsets of a time namespace can be set until a process is in it, and who made it is not
// (time_namespaces(7)): the second process will be the first.
void make_time_namespace(const Newborn& newborn) {
  if (unshare(CLONE_NEWTIME) != 0) fail(newborn, Step::make_time_namespace);
  const std::string& text = newborn.time_offsets;
  const int file = raw_open("/proc/self/timens_offsets");
  if (file < 0 || raw_write(file, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    fail(newborn, Step::set_time_offsets);
}

// Returns in the second process, a child of the launcher, only.
void clone_again(const Newborn& newborn) {
  clone_args args{};
  args.flags = CLONE_PARENT | newborn.flags_inside;
  const pid_t pid = sys::clone3(&args);
  if (pid < 0) fail(newborn, Step::clone_again);
  if (pid > 0) _exit(0);
  if (raw_write(newborn.birth_socket, "b", 1) != 1) _exit(1);
}

// The clone's way to execveat: raw system calls only.
[[noreturn]] void be_born(const Newborn& newborn) {
  // A process that writes "0" for itself skips the RCU wait of cgroup.procs (DESIGN 4).
  for (const std::string& path : newborn.task_files) {
    const int tasks = raw_open(path.c_str());  // execve closes it
    if (tasks < 0 || raw_write(tasks, "0", 1) != 1) fail(newborn, Step::enter_cgroup);
  }
  set_affinity(newborn);
  const bool joins_user = newborn.user_namespace >= 0;
  if (joins_user && setns(newborn.user_namespace, CLONE_NEWUSER) != 0)
    fail(newborn, Step::join_user_namespace);
  // A change of user would take away the right to its own files in /proc (proc(5), dumpable).
  if (!newborn.time_offsets.empty()) make_time_namespace(newborn);
  if (joins_user) become_root(newborn);
  if (newborn.pid_namespace >= 0 && setns(newborn.pid_namespace, CLONE_NEWPID) != 0)
    fail(newborn, Step::join_pid_namespace);
  if (newborn.wait_for_maps) {
    char go = 0;
    syscall(SYS_close, newborn.launcher_end);
    if (syscall(SYS_read, newborn.channel, &go, 1) != 1) _exit(1);
    become_root(newborn);
  }
  if (newborn.clone_again) clone_again(newborn);
  const uint64_t none = 0;
  if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none) != 0)
    fail(newborn, Step::reset_signals);
  for (int i = 1; i <= 64; ++i)
    if ((newborn.ignored_signals >> (i - 1) & 1) != 0 && sys::default_signal(i) != 0)
      fail(newborn, Step::reset_signals);
  // The copies are not close-on-exec.
  for (const Placed& one : newborn.placed)
    if (syscall(SYS_dup3, one.fd.get(), one.place, 0) < 0) fail(newborn, Step::place_descriptors);
  if (newborn.channel == newborn.channel_home
          ? syscall(SYS_fcntl, newborn.channel, F_SETFD, 0) != 0
          : syscall(SYS_dup3, newborn.channel, newborn.channel_home, 0) < 0)
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

Fd copy_above(int fd, int place) {
  Fd copy(fcntl(fd, F_DUPFD_CLOEXEC, place + 1));
  if (!copy) throw Error("cannot copy descriptor " + std::to_string(fd), "fcntl", errno);
  return copy;
}

std::vector<Placed> to_place(const Birth& birth, int channel_home) {
  std::vector<Placed> out;
  const auto place = [&](int fd, int number) {
    out.push_back({copy_above(fd, channel_home), number});
  };
  for (int i = 0; i < 3; ++i)
    if (birth.streams[static_cast<size_t>(i)] >= 0) place(birth.streams[static_cast<size_t>(i)], i);
  for (size_t i = 0; i < birth.extra_fds.size(); ++i)
    place(birth.extra_fds[i], 3 + static_cast<int>(i));
  return out;
}

// A socket pair that tells who wrote: in our numbers, whatever PID namespace the writer is in.
std::pair<Fd, Fd> birth_sockets() {
  int ends[2];
  const int on = 1;
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error("cannot make a socket pair", "socketpair", errno);
  std::pair<Fd, Fd> out{ends[0], ends[1]};
  if (setsockopt(ends[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    throw Error("cannot make a socket tell its writer", "setsockopt(SO_PASSCRED)", errno);
  return out;
}

// The pid of the process that wrote (unix(7), SCM_CREDENTIALS); 0 when all writers have gone.
pid_t writer_of(const Fd& socket, const std::function<void()>& on_silence) {
  char byte = 0;
  iovec part{&byte, 1};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = recvmsg(socket.get(), &message, 0)) < 0 && (errno == EINTR || errno == EAGAIN))
    if (errno == EAGAIN) on_silence();
  const cmsghdr* header = got == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_CREDENTIALS) return 0;
  ucred writer{};
  std::memcpy(&writer, CMSG_DATA(header), sizeof writer);
  return writer.pid;
}

// Replaces the first process, which ends, by the second, which it has made.
void take_second(Child& child, const Fd& socket, const std::function<void()>& on_silence) {
  const pid_t second = writer_of(socket, on_silence);
  wait_for(child.pid);
  if (second == 0) {
    const auto message = child.channel.receive();
    if (message && message->type == plan::MessageType::stillborn)
      throw stillborn_error(plan::number_of(*message));
    throw Error("the container's first process died early");
  }
  child.pid = second;
  child.pidfd.reset(sys::pidfd_open(second, 0));
}

// A kernel that was built without a type of namespaces has no file for it, and says EINVAL.
void explain_lack(Error& error, uint64_t namespaces) {
  if (error.code() != EINVAL) return;
  for (const configs::NamespaceName& one : configs::kNamespaces) {
    const std::string file = "/proc/self/ns/" + std::string(one.file);
    if ((namespaces & one.flag) == 0 || access(file.c_str(), F_OK) == 0) continue;
    error.set_field("/linux/namespaces");
    error.set_hint("this kernel has no " + std::string(one.spec) + " namespaces");
  }
}

pid_t clone_or_throw(clone_args& args, uint64_t namespaces) {
  const pid_t pid = sys::clone3(&args);
  if (pid < 0) {
    Error error("cannot make the container's first process", "clone3", errno);
    const int code = errno;
    if ((args.flags & CLONE_NEWUSER) != 0) error.set_hint(what_forbids_user_namespaces());
    explain_lack(error, namespaces);
    if (code == ENOSPC || code == EUSERS)
      error.set_hint("a limit in /proc/sys/user/max_*_namespaces is reached");
    if (code == EPERM)
      error.set_hint("making namespaces takes CAP_SYS_ADMIN, or a new user namespace");
    if (code == EBUSY || code == EOPNOTSUPP || code == EACCES)
      error.set_field("/linux/cgroupsPath");
    // cgroups(7), "Delegation containment": it takes the right to move processes between the two.
    if (code == EACCES)
      error.set_hint(
          "this user may not leave the caller's own cgroup for the container's; start from one of "
          "the user's: systemd-run --user --scope");
    throw error;
  }
  return pid;
}

}  // namespace

Child spawn(Birth birth) {
  // hull-init finds its channel behind the preserved descriptors: nothing it needs may be in that
  // place.
  const int channel_home = 3 + static_cast<int>(birth.preserve_fds);
  const std::vector<Placed> placed = to_place(birth, channel_home);
  Fd executable = open_init_executable();
  auto [ours, theirs] = plan::Channel::make_pair();
  // Where the caller's descriptors are placed ours may be by chance.
  const bool in_the_way = executable.get() == channel_home || !birth.extra_fds.empty();
  if (in_the_way) executable = copy_above(executable.get(), channel_home);
  if (!birth.extra_fds.empty()) theirs = plan::Channel(copy_above(theirs.fd(), channel_home));
  std::pair<Fd, Fd> births;
  const bool twice = birth.user_namespace >= 0 || !birth.time_offsets.empty();
  ours.on_silence(kPatience, birth.on_silence);
  if (twice) {
    births = birth_sockets();
    plan::limit_wait(births.first.get(), kPatience);
  }
  // A new user namespace owns those that are made after it.
  const uint64_t first_flags = twice ? birth.new_namespaces & CLONE_NEWUSER : birth.new_namespaces;
  const uint64_t unshared = birth.time_offsets.empty() ? 0 : CLONE_NEWTIME;
  // Without privileges of its own the launcher has them in there only.
  const bool pid_inside = birth.user_namespace >= 0 && geteuid() != 0;
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
                        birth.cpus,
                        new_user,
                        birth.user_namespace,
                        pid_inside ? birth.pid_namespace : -1,
                        birth.time_offsets,
                        twice,
                        birth.new_namespaces & ~first_flags & ~unshared,
                        births.second.get(),
                        placed};

  int pidfd = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD | first_flags;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd);
  args.exit_signal = SIGCHLD;
  if (birth.entrance.unified) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(birth.entrance.unified.get());
  }
  pid_t pid = 0;
  {
    const PidNamespaceScope scope(pid_inside ? -1 : birth.pid_namespace);
    pid = clone_or_throw(args, birth.new_namespaces);
    if (pid == 0) be_born(newborn);
  }
  Child child{pid, Fd(pidfd), std::move(ours)};
  births.second.reset();
  {
    const FdCloseBatch together;
    theirs.close();
    executable.reset();
    birth.entrance.unified.reset();
  }
  try {
    if (new_user) {
      write_id_maps(pid, *birth.uid_mappings, *birth.gid_mappings);
      if (send(child.channel.fd(), "m", 1, MSG_NOSIGNAL) != 1)
        throw Error("the container's first process died early", "send", errno);
    }
    if (twice) take_second(child, births.first, birth.on_silence);
  } catch (...) {
    end_child(child);
    throw;
  }
  return child;
}

void end_child(const Child& child) {
  sys::pidfd_send_signal(child.pidfd.get(), SIGKILL);
  pollfd end{child.pidfd.get(), POLLIN, 0};
  while (poll(&end, 1, kEndLimit.count()) < 0 && errno == EINTR) continue;
  if (end.revents != 0) wait_for(child.pid);
}

Error stillborn_error(int number) {
  const auto step = static_cast<size_t>(number >> 16);
  const int code = number & 0xffff;
  const StepName name = step < kSteps.size() ? kSteps[step] : StepName{"?", ""};
  Error error("the container's first process failed before it became hull-init", name.call, code);
  if (*name.field != '\0') error.set_field(name.field);
  if (static_cast<Step>(step) == Step::make_time_namespace) explain_lack(error, CLONE_NEWTIME);
  if (static_cast<Step>(step) == Step::set_time_offsets && code == ERANGE)
    error.set_hint("a clock would be negative, or too far in the future");
  return error;
}

}  // namespace hull::launch

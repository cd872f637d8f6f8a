#include "libruntime/launch/conversation.h"

#include <poll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "libruntime/init/init.h"
#include "libruntime/launch/hook_files.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/rootfs/mount_error.h"
#include "libruntime/rootfs/rootfs.h"
#include "libruntime/scheduling/priority.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"
#include "libruntime/system/process_stat.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/unix_socket.h"

namespace hull::launch {
namespace {

void pass_on_log(const std::string& payload) {
  if (payload.empty() || payload[0] < '0' || payload[0] > '3') return;
  log::write(static_cast<log::Level>(payload[0] - '0'), std::string_view(payload).substr(1));
}

// How a process ended, without reaping it.
std::string ending(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return "exited with status " + std::to_string(info.si_status);
  return "was killed by signal " + std::to_string(info.si_status);
}

}  // namespace

void Conversation::until_created() {
  try {
    for (;;) {
      auto message = child_.channel.receive();
      if (!message) died();
      if (message->type == plan::MessageType::created) return;
      answer(*message);
    }
  } catch (Error& e) {
    e.add_outer_stage(stage());
    throw;
  }
}

void Conversation::proceed() { child_.channel.send(plan::MessageType::proceed); }

void Conversation::until_executed() {
  try {
    while (auto message = child_.channel.receive()) answer(*message);
    child_.channel.close();
    if (died_before_execve(child_.pid, child_.pidfd)) died();
  } catch (Error& e) {
    e.add_outer_stage(stage());
    throw;
  }
}

std::string_view Conversation::stage() const {
  return plan_.kind == plan::Kind::exec
             ? "unable to start container process"
             : "unable to start container process: error during container init";
}

void Conversation::answer(plan::Message& message) {
  switch (message.type) {
    case plan::MessageType::error:
      throw plan::decode_error(message.payload);
    case plan::MessageType::stillborn:
      throw stillborn_error(plan::number_of(message));
    case plan::MessageType::log:
      return pass_on_log(message.payload);
    case plan::MessageType::mount_source:
      return give_mount_source(message);
    case plan::MessageType::second:
      return follow(message);
    case plan::MessageType::ready_for_hooks:
      run_runtime_hooks();
      break;
    case plan::MessageType::priority:
      set_priority();
      break;
    case plan::MessageType::console:
      take_console(message);
      break;
    case plan::MessageType::seccomp_listener:
      take_listener(message);
      break;
    default:
      throw Error("unexpected message from the container's init");
  }
  proceed();
}

// What the container's init may be by now is asked no more than the plan says: it could be another
// program's puppet (ptrace(2)).
void Conversation::expect(bool planned) {
  if (!planned) throw Error("unexpected message from the container's init");
}

// The first process, which has made the second, ends.
void Conversation::follow(const plan::Message& message) {
  expect(plan_.enter_pid_namespace && !followed_ && message.writer > 0);
  followed_ = true;
  Fd pidfd(sys::pidfd_open(message.writer, 0));
  if (!pidfd) throw Error("cannot watch the program's process", "pidfd_open", errno);
  wait_for(child_.pid);
  child_.pid = message.writer;
  child_.pidfd = std::move(pidfd);
}

void Conversation::give_mount_source(const plan::Message& message) {
  const auto index = static_cast<size_t>(plan::number_of(message));
  if (index >= plan_.rootfs.mounts.size())
    throw Error("the container's init asks for an unknown mount");
  try {
    const Fd source = rootfs::clone_source(plan_.rootfs, plan_.rootfs.mounts[index]);
    const int fds[] = {source.get()};
    child_.channel.send(plan::MessageType::proceed, {}, fds);
  } catch (const Error& e) {
    rootfs::MountFacts facts;
    facts.source = rootfs::kind_of(plan_.rootfs.mounts[index].source.c_str());
    facts.user_namespace = plan_.rootfs.user_namespace;
    throw rootfs::explain_mount(plan_.rootfs.mounts[index], "/mounts/" + std::to_string(index), e,
                                facts);
  }
}

void Conversation::run_runtime_hooks() {
  expect(plan_.runtime_hooks);
  const std::string pid = std::to_string(child_.pid);
  const std::string state = state::spec_state(config_, id_, "creating", pid);
  const HookFiles files = HookFiles::open(config_);
  const int init = child_.channel.fd();
  plan::run_hooks(config_.hooks.prestart, "prestart", state, true, files.output(), init);
  plan::run_hooks(config_.hooks.create_runtime, "createRuntime", state, true, files.output(), init);
}

void Conversation::set_priority() const {
  if (plan_.process.scheduler) scheduling::set_scheduler(child_.pid, *plan_.process.scheduler);
  if (plan_.process.io_priority)
    scheduling::set_io_priority(child_.pid, *plan_.process.io_priority);
}

void Conversation::take_console(plan::Message& message) {
  expect(plan_.process.terminal);
  if (message.fds.empty()) throw Error("the terminal came without a descriptor");
  started_.console = std::move(message.fds[0]);
  if (options_.console_socket.empty()) return;
  send_fd(options_.console_socket, started_.console.get(), "/dev/ptmx");
  started_.console.reset();
}

void Conversation::take_listener(const plan::Message& message) {
  expect(plan_.process.seccomp && plan_.process.seccomp->notifies);
  const Fd listener(
      static_cast<int>(syscall(SYS_pidfd_getfd, child_.pidfd.get(), plan::number_of(message), 0)));
  if (!listener)
    throw Error("cannot take the seccomp listener", "pidfd_getfd", errno).field("/linux/seccomp");
  if (!config_.seccomp || config_.seccomp->listener_path.empty())
    throw Error("a seccomp profile that notifies needs a listener")
        .field("/linux/seccomp/listenerPath");
  try {
    send_fd(config_.seccomp->listener_path, listener.get(),
            state::listener_state(config_, id_, child_.pid, init_pid_));
  } catch (Error& e) {
    e.set_field("/linux/seccomp/listenerPath");
    e.set_hint("a seccomp agent must listen there before the container starts");
    throw;
  }
}

void Conversation::died() { throw death_of(child_, plan_.kind, config_.cgroup.resources); }

Error death_of(const Child& child, plan::Kind kind, const configs::Resources& resources) {
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(child.pidfd.get()), &info, WEXITED | WNOWAIT) != 0)
    return Error("cannot tell how the init ended", "waitid", errno);
  // The kernel tells nobody but the cgroup that it was out of memory.
  const bool killed = info.si_code == CLD_KILLED && info.si_status == SIGKILL;
  if (killed && kind == plan::Kind::container && resources.memory > 0)
    return Error("container init was OOM-killed (memory limit too low?)")
        .field("/linux/resources/memory/limit");
  return Error("the container's init " + ending(info) + " without saying why" +
               (killed ? " (possibly OOM-killed)" : ""));
}

bool died_before_execve(pid_t pid, const Fd& pidfd) {
  // execve closes descriptors when the new program is in place, a death when none is.
  char path[1];
  const std::string exe = "/proc/" + std::to_string(pid) + "/exe";
  if (readlink(exe.c_str(), path, sizeof path) > 0) return false;
  const auto stat = read_process_stat(pid);
  if (stat) return stat->name == init::kProcessName;
  const auto status = reaped_status(pidfd.get());
  return status && WIFSIGNALED(*status) && WTERMSIG(*status) == SIGKILL;
}

}  // namespace hull::launch

#include "libruntime/init/init.h"

#include <sys/prctl.h>

#include <cerrno>
#include <string>

#include "libruntime/init/session.h"
#include "libruntime/init/steps.h"
#include "libruntime/plan/codec.h"
#include "libruntime/plan/fields.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"

namespace hull::init {
namespace {

plan::Channel* log_channel = nullptr;

void log_to_channel(log::Level level, std::string_view message) {
  if (log_channel == nullptr) return;
  std::string payload(1, static_cast<char>('0' + static_cast<int>(level)));
  payload += message;
  log_channel->send(plan::MessageType::log, payload);
}

Session receive_session(plan::Channel channel) {
  std::optional<plan::Message> message = channel.receive();
  // The launcher died before it said what to do.
  if (!message) _exit(1);
  if (message->type != plan::MessageType::plan) throw Error("the first message is no plan");
  Session session(plan::decode<plan::Plan>(message->payload), std::move(channel));
  auto next = message->fds.begin();
  const auto take = [&] {
    if (next == message->fds.end()) throw Error("the plan came without a descriptor it names");
    return std::move(*next++);
  };
  if (session.plan.memory_tasks) session.memory_tasks = take();
  for (size_t i = 0; i < session.plan.namespace_fds.size(); ++i)
    session.namespaces.push_back(take());
  if (session.plan.pidfd) session.pidfd = take();
  if (session.plan.exec_fifo) session.exec_fifo = take();
  if (session.plan.hook_stdout) session.hook_stdout = take();
  if (session.plan.hook_stderr) session.hook_stderr = take();
  return session;
}

// The road from clone to execve, as a list of steps.
[[noreturn]] void make_container(Session& session) {
  join_namespaces(session);
  start_session(session);
  prepare_rootfs(session);
  run_early_hooks(session);
  enter_rootfs(session);
  set_names(session);
  set_kernel_parameters(session);
  protect_paths(session);
  enter_memory_cgroup(session);
  set_scheduling(session);
  become_user(session);
  start_program(session);
}

[[noreturn]] void join_container(Session& session) {
  // The host's procfs has this process whatever namespaces it joins.
  const plan::Process& process = session.plan.process;
  if (!process.apparmor_profile.empty() || !process.selinux_label.empty()) session.trusted_proc();
  join_namespaces(session);
  session.second_to_come = session.plan.enter_pid_namespace && can_enter_last(session.plan);
  if (session.plan.enter_pid_namespace && !session.second_to_come) enter_pid_namespace(session);
  start_session(session);
  open_console(session);
  enter_memory_cgroup(session);
  set_scheduling(session);
  become_user(session);
  if (session.second_to_come) enter_pid_namespace(session);
  start_program(session);
}

void report(Session& session, const Error& error) {
  const std::string bytes = plan::encode_error(error);
  if (session.start_answer)
    write_all(session.start_answer.get(), bytes, "exec.fifo");
  else
    session.channel.send(plan::MessageType::error, bytes);
}

}  // namespace

ProcFs& Session::trusted_proc() {
  if (!proc) proc = ProcFs::open(!plan.sysctl.empty());
  return *proc;
}

std::vector<Fd> Session::wait_to_proceed() {
  auto message = channel.receive();
  if (!message) _exit(1);
  if (message->type != plan::MessageType::proceed)
    throw Error("unexpected message from the launcher");
  return std::move(message->fds);
}

void run(unsigned preserve_fds) {
  // Before anything of the container can see this process (CVE-2016-9962).
  const int channel_fd = 3 + static_cast<int>(preserve_fds);
  const bool prepared = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 &&
                        prctl(PR_SET_NAME, kProcessName, 0, 0, 0) == 0 &&
                        // Whatever else the caller of the launcher left open ends here.
                        close_from(static_cast<unsigned>(channel_fd) + 1, 0);
  const int failure = prepared ? 0 : errno;
  plan::Channel channel{Fd(channel_fd)};
  try {
    Session session = receive_session(std::move(channel));
    log_channel = &session.channel;
    log::set_level(static_cast<log::Level>(session.plan.log_level));
    log::set_sink(log_to_channel);
    try {
      if (!prepared) throw Error("cannot prepare the process", "prctl or close_range", failure);
      if (session.plan.kind == plan::Kind::container) make_container(session);
      join_container(session);
    } catch (const Error& e) {
      report(session, e);
    } catch (const std::exception& e) {
      report(session,
             Error(std::string("unexpected failure in the container's init: ") + e.what()));
    }
  } catch (...) {
    // Nobody is left to tell: the launcher sees the closed channel.
  }
  _exit(1);
}

}  // namespace hull::init

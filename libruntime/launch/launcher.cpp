#include "libruntime/launch/launcher.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <optional>

#include "libruntime/cgroups/frozen.h"
#include "libruntime/launch/clean_up.h"
#include "libruntime/launch/conversation.h"
#include "libruntime/launch/hook_files.h"
#include "libruntime/launch/planner.h"
#include "libruntime/launch/record.h"
#include "libruntime/launch/sub_cgroup.h"
#include "libruntime/network/devices.h"
#include "libruntime/network/interfaces.h"
#include "libruntime/plan/codec.h"
#include "libruntime/plan/fields.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/resctrl/group.h"
#include "libruntime/scheduling/affinity.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"

namespace hull::launch {
namespace {

// The v1 and v2 cgroups as the container's `cgroup` mounts show them.
void show_cgroups(plan::CgroupView& view, const cgroups::Manager& cgroup,
                  const cgroups::Layout& layout) {
  view.v2 = layout.mode == cgroups::Mode::v2;
  const auto unified = cgroup.paths().find("");
  if (unified != cgroup.paths().end()) view.unified_path = unified->second;
  view.controllers = cgroup.controllers();
}

std::string time_offsets_text(const std::map<std::string, configs::TimeOffset>& offsets) {
  std::string out;
  for (const auto& [clock, offset] : offsets)
    out += clock + " " + std::to_string(offset.seconds) + " " + std::to_string(offset.nanoseconds) +
           "\n";
  return out;
}

// Without privileges a score can be raised only: there a lower one is a wish, as for runc.
void set_oom_score(pid_t pid, const std::optional<int>& score, const configs::Config& config) {
  if (!score) return;
  try {
    write_existing("/proc/" + std::to_string(pid) + "/oom_score_adj", std::to_string(*score));
  } catch (Error& e) {
    if (config.rootless_cgroups && (e.code() == EACCES || e.code() == EPERM))
      return log::warning("oomScoreAdj stays as it is: " + std::string(e.what()));
    e.set_field("/process/oomScoreAdj");
    if (e.code() == EACCES) e.set_hint("lowering it takes CAP_SYS_RESOURCE");
    throw;
  }
}

void set_rlimits(pid_t pid, const plan::Plan& plan) {
  if (!plan.rlimits_from_outside) return;
  for (const configs::Rlimit& limit : plan.process.rlimits) {
    const rlimit64 value{limit.soft, limit.hard};
    if (prlimit64(pid, static_cast<__rlimit_resource>(limit.type), &value, nullptr) != 0)
      throw Error("cannot set rlimit " + std::to_string(limit.type), "prlimit", errno)
          .field("/process/rlimits");
  }
}

void send_plan(Child& child, plan::Plan& plan, const std::string& memory_task_file,
               const std::vector<Fd>& namespaces, int pidfd, int exec_fifo,
               const plan::HookOutput& hooks) {
  std::vector<int> fds;
  Fd memory_tasks;
  plan.memory_tasks = !memory_task_file.empty();
  if (plan.memory_tasks) {
    memory_tasks = open_or_throw(AT_FDCWD, memory_task_file, O_WRONLY);
    fds.push_back(memory_tasks.get());
  }
  for (const Fd& ns : namespaces) fds.push_back(ns.get());
  if (pidfd >= 0) fds.push_back(pidfd);
  if (exec_fifo >= 0) fds.push_back(exec_fifo);
  plan.hook_stdout = hooks.out >= 0;
  if (plan.hook_stdout) fds.push_back(hooks.out);
  plan.hook_stderr = hooks.err >= 0;
  if (plan.hook_stderr) fds.push_back(hooks.err);
  child.channel.send(plan::MessageType::plan, plan::encode(plan), fds);
}

void hand_over(Child& child, const configs::Config& config, plan::Plan& plan,
               const std::string& memory_task_file, const std::vector<Fd>& namespaces, int pidfd,
               int exec_fifo, const plan::HookOutput& hooks = {}) {
  try {
    set_oom_score(child.pid, plan.process.oom_score_adj, config);
    send_plan(child, plan, memory_task_file, namespaces, pidfd, exec_fifo, hooks);
  } catch (const Error& e) {
    // It may have failed before it could read its plan, and said why; or it was killed: in v2 it
    // is born under the container's memory limit. Or it waits for the plan.
    child.channel.finish();
    const auto message = child.channel.receive();
    if (message && message->type == plan::MessageType::stillborn)
      throw stillborn_error(plan::number_of(*message));
    if (!message && e.code() == EPIPE) throw death_of(child, plan.kind, config.cgroup.resources);
    throw;
  }
}

bool has_networks(const configs::Config& config) {
  return !config.networks.empty() || !config.routes.empty();
}

// What the container's network namespace gets from outside; it is one that the container joins, or
// its first process's own.
void set_up_network(const configs::Config& config, const std::string& id,
                    const JoinedNamespaces& joined, pid_t pid) {
  Fd own;
  int net_namespace = -1;
  for (size_t i = 0; i < joined.types.size(); ++i)
    if (joined.types[i] == configs::NamespaceType::network) net_namespace = joined.fds[i].get();
  if (net_namespace < 0) {
    own = open_or_throw(AT_FDCWD, "/proc/" + std::to_string(pid) + "/ns/net", O_RDONLY);
    net_namespace = own.get();
  }
  if (!config.net_devices.empty()) network::move_devices(config.net_devices, net_namespace);
  if (has_networks(config)) network::connect(config, net_namespace, id);
}

// config.md#linux-process, execCPUAffinity: what runs before the cgroup is entered runs there.
Child spawn_on(const configs::CpuMask& cpus, Birth birth) {
  const scheduling::AffinityScope scope(cpus);
  return spawn(std::move(birth));
}

// Whether something of the above has to happen between "created" and the program's start. Where
// exec.fifo holds it back, nothing has: `start` takes the lock that create holds.
bool must_wait(const plan::Plan& plan, const LaunchOptions& options) {
  return !options.pidfd_socket.empty() || !options.pid_file.empty() || plan.rlimits_from_outside;
}

// A frozen process says nothing until somebody thaws its cgroup, which may be never.
std::function<void()> refuse_frozen(const cgroups::Manager& cgroup, bool allowed) {
  return [&cgroup, allowed] {
    const std::string by = allowed ? "" : cgroup.frozen_by();
    if (!by.empty()) throw cgroups::frozen_error("the new process is held", by);
  };
}

}  // namespace

void create_container(const Request& request, Started& started) {
  state::State& state = request.state;
  const configs::Config& config = state.config;
  CleanUp clean_up(request.directory);
  // All that can fail on paper comes before anything is made.
  plan::Plan plan = plan_container(config, request.process, state.id, request.options);
  plan.start_now = request.start_now;
  plan.wait_when_created = request.start_now && must_wait(plan, request.options);
  plan.exec_fifo = !request.start_now;
  HookFiles hook_files;
  if (!plan.create_container_hooks.empty() || !plan.start_container_hooks.empty())
    hook_files = HookFiles::open(config);
  if (has_networks(config)) network::check_networks(config);
  const JoinedNamespaces joined = open_namespaces(config);
  plan.namespace_fds = joined.types;
  std::optional<FdCloseBatch> batch(std::in_place);
  const cgroups::Layout layout = cgroups::read_layout();
  auto new_cgroup = cgroups::make_manager(config.cgroup, layout);

  // Written down before it is made, so that `delete` finds it however this ends.
  describe(state, request.options, *new_cgroup);
  network::name_host_ends(state.config.networks);
  request.directory.save(state);

  cgroups::Manager& cgroup = clean_up.create(std::move(new_cgroup), config.cgroup.resources);
  batch.reset();
  state.cgroup_paths = cgroup.paths();  // a rootless container may go without some
  show_cgroups(plan.rootfs.cgroup, cgroup, layout);
  Fd exec_fifo;
  if (plan.exec_fifo) {
    request.directory.make_exec_fifo(host_id(config.uid_mappings, 0),
                                     host_id(config.gid_mappings, 0));
    exec_fifo = open_or_throw(request.directory.fd(), "exec.fifo", O_PATH | O_NOFOLLOW);
  }

  Birth birth;
  birth.new_namespaces = plan.new_namespaces;
  birth.entrance = cgroup.open_entrance();
  const std::string memory_task_file = birth.entrance.memory_task_file;
  birth.pid_namespace = joined.pid.get();
  birth.user_namespace = joined.user.get();
  birth.preserve_fds = plan.process.preserve_fds;
  birth.streams = request.options.streams;
  birth.extra_fds = request.options.extra_fds;
  birth.uid_mappings = &config.uid_mappings;
  birth.gid_mappings = &config.gid_mappings;
  birth.time_offsets = time_offsets_text(config.time_offsets);
  birth.on_silence = refuse_frozen(cgroup, false);
  Child& child = clean_up.own(spawn(std::move(birth)));
  cgroup.entered();
  if (config.intel_rdt) clean_up.enter_rdt_group(state, child.pid);
  if (!config.net_devices.empty() || has_networks(config)) {
    clean_up.own_networks(state);
    set_up_network(config, state.id, joined, child.pid);
  }
  hand_over(child, config, plan, memory_task_file, joined.fds, -1, exec_fifo.get(),
            hook_files.output());
  // While the init mounts.
  describe_init(state, child.pid);
  request.directory.save(state);

  started.pid = child.pid;
  Conversation conversation(child, config, plan, state.id, child.pid, request.options, started);
  conversation.until_created();
  set_rlimits(child.pid, plan);
  announce(child.pid, child.pidfd.get(), request.options);
  if (plan.wait_when_created) conversation.proceed();
  if (request.start_now) conversation.until_executed();
  clean_up.cancel();
  started.pidfd = std::move(child.pidfd);
}

Started exec_process(const state::State& state, const configs::Process& process,
                     const LaunchOptions& options) {
  const configs::Config& config = state.config;
  plan::Plan plan = plan_exec(config, process, state.id, options);
  const Fd init = state::open_init(state);
  if (!init)
    throw Error("cannot exec in a stopped container").kind(ErrorKind::container_not_running);
  const auto paths = sub_cgroup_paths(state.cgroup_paths, options.sub_cgroups);
  if (!options.sub_cgroups.empty()) require_directories(paths);
  const auto cgroup = cgroups::load_manager(config.cgroup, paths);
  plan.wait_when_created = must_wait(plan, options);

  Birth birth;
  birth.entrance = cgroup->open_entrance();
  const std::string memory_task_file = birth.entrance.memory_task_file;
  birth.on_silence = refuse_frozen(*cgroup, options.ignore_paused);
  // Only inside of the user namespace has a user without privileges the right to join the others.
  if (config.find(configs::NamespaceType::user) != nullptr && geteuid() != 0) {
    birth.user_namespace = init.get();
    plan.join_by_pidfd &= ~uint64_t{CLONE_NEWUSER};
  }
  plan.pidfd = plan.join_by_pidfd != 0;
  birth.preserve_fds = plan.process.preserve_fds;
  birth.streams = options.streams;
  birth.extra_fds = options.extra_fds;
  const configs::CpuAffinity cpus = process.exec_cpu_affinity.value_or(configs::CpuAffinity{});
  birth.cpus = &cpus.after;
  Started started;
  Child child = spawn_on(cpus.initial, std::move(birth));
  try {
    if (plan.enter_pid_namespace) child.channel.ask_for_writers();
    if (config.intel_rdt && !state.intel_rdt_path.empty())
      resctrl::join(state.intel_rdt_path, *config.intel_rdt, state.id, child.pid);
    hand_over(child, config, plan, memory_task_file, {}, plan.pidfd ? init.get() : -1, -1);
    Conversation conversation(child, config, plan, state.id, state.init_pid, options, started);
    conversation.until_created();
    started.pid = child.pid;
    set_rlimits(child.pid, plan);
    announce(child.pid, child.pidfd.get(), options);
    if (plan.wait_when_created) conversation.proceed();
    conversation.until_executed();
  } catch (...) {
    end_child(child);
    throw;
  }
  started.pidfd = std::move(child.pidfd);
  return started;
}

}  // namespace hull::launch

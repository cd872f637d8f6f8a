#include "libruntime/container.h"

#include <poll.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "libruntime/cgroups/frozen.h"
#include "libruntime/cgroups/manager.h"
#include "libruntime/checkpoint/dump.h"
#include "libruntime/container_impl.h"
#include "libruntime/init/init.h"
#include "libruntime/launch/hook_files.h"
#include "libruntime/launch/launcher.h"
#include "libruntime/launch/process_defaults.h"
#include "libruntime/launch/restorer.h"
#include "libruntime/launch/start_answer.h"
#include "libruntime/network/interfaces.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/resctrl/group.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"
#include "libruntime/system/users.h"

namespace hull {
namespace {

// Whether the process behind `pidfd` ended within the time (it may not be our child, so no wait).
bool ended_within(const Fd& pidfd, std::chrono::milliseconds time) {
  pollfd watch{pidfd.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = poll(&watch, 1, static_cast<int>(time.count()))) < 0 && errno == EINTR) continue;
  return ready > 0;
}

constexpr std::chrono::seconds kKillTime{10};

// Whether the kernel ends all of the container's processes with its init (pid_namespaces(7)).
bool has_own_pid_namespace(const configs::Config& config) {
  const configs::Namespace* pid = config.find(configs::NamespaceType::pid);
  return pid != nullptr && pid->path.empty();
}

std::string owner_name(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0) return {};
  // The host's passwd file only: a static program can't ask name services.
  const auto passwd = read_file_if_exists("/etc/passwd");
  return passwd ? name_of(*passwd, info.st_uid).value_or("") : "";
}

Status status_of(const State& state, const state::Directory& directory) {
  if (!state::init_alive(state)) return Status::stopped;
  if (directory.has_exec_fifo()) return Status::created;
  return manager_of(state)->frozen() ? Status::paused : Status::running;
}

void run_poststart_hooks(const State& state) {
  if (state.config.hooks.poststart.empty()) return;
  plan::run_hooks(
      state.config.hooks.poststart, "poststart",
      state::spec_state(state.config, state.id, "running", std::to_string(state.init_pid)), true,
      launch::HookFiles::open(state.config).output());
}

void check_not_started(const Process& process) {
  if (!process.started()) return;
  if (process.console())
    throw Error("console exists already for process").kind(ErrorKind::console_exists);
  throw Error("the process was started already");
}

// As it starts in a container whose root directory the caller sees at `root`.
configs::Process resolve(const Process& process, const configs::Config& config,
                         const std::string& root) {
  configs::Process out = launch::with_defaults(process, config);
  if (!process.user.empty()) launch::look_up_user(out, process.user, root);
  return out;
}

Error paused(std::string text) { return Error(std::move(text)).kind(ErrorKind::container_paused); }

void refuse_frozen_start(const cgroups::Manager& cgroup) {
  const std::string by = cgroup.frozen_by();
  if (by.empty()) return;
  if (cgroup.frozen()) throw paused("cannot start a container in the paused state");
  throw cgroups::frozen_error("cannot start the container", by);
}

void end_init(const State& state, cgroups::Manager& cgroup) {
  const Fd init = state::open_init(state);
  if (!init) return;
  if (sys::pidfd_send_signal(init.get(), SIGKILL) != 0 && errno != ESRCH)
    throw Error("cannot kill the container's init", "pidfd_send_signal", errno);
  cgroups::require_dying(cgroup);
  if (!ended_within(init, kKillTime)) throw Error("container init still running");
}

}  // namespace

std::unique_ptr<cgroups::Manager> manager_of(const State& state) {
  return cgroups::load_manager(state.config.cgroup, state.cgroup_paths);
}

Error not_running(std::string text) {
  return Error(std::move(text)).kind(ErrorKind::container_not_running);
}

Container::Impl::Exclusive::Exclusive(Impl& impl) : impl_(&impl), thread_(impl.changing) {
  impl.directory.lock();
  try {
    // One that was read while its init was on the way has to be read again: what is known of it is
    // neither its process nor its status.
    if (impl.launched && impl.state()->init_pid == 0) impl.put(impl.directory.load());
  } catch (...) {
    impl.directory.unlock();
    throw;
  }
}

void Container::Impl::Exclusive::release() {
  if (impl_ != nullptr) impl_->directory.unlock();
  impl_ = nullptr;
  if (thread_.owns_lock()) thread_.unlock();
}

Container::Container(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Container::Container(Container&& other) noexcept = default;
Container& Container::operator=(Container&& other) noexcept = default;
Container::~Container() = default;

std::shared_ptr<const State> Container::state() const { return impl_->state(); }
const std::string& Container::directory() const { return impl_->directory.path(); }
std::string Container::id() const { return state()->id; }
configs::Config Container::config() const { return state()->config; }
std::string Container::bundle() const { return state::bundle_of(state()->config); }
std::string Container::owner() const { return owner_name(directory()); }
Status Container::status() const { return status_of(*state(), impl_->directory); }

std::string Container::oci_state(std::string_view owner) const {
  return state::query_state(*state(), status(), owner);
}

void Container::Impl::launch(Exclusive& exclusive, const configs::Process* process,
                             const LaunchOptions& options, Started& started, bool now) {
  make(started, [&](State& next) {
    launch::create_container({next, process, options, directory, now}, started);
  });
  exclusive.release();
  if (!now) return;
  try {
    run_poststart_hooks(*state());
  } catch (...) {
    destroy_after_failure();
    throw;
  }
}

void Container::Impl::make(Started& started, const std::function<void(State& state)>& how) {
  State next = *state();
  try {
    how(next);
  } catch (...) {
    started = Started();  // it is dead and reaped
    // The container was on its way, so its end has to be told (runtime.md#lifecycle).
    launch::run_poststop_hooks(next.config, next.id);
    gone = directory.removed();
    throw;
  }
  launched = true;
  put(std::move(next));
}

// By force; what goes wrong is logged.
void Container::Impl::destroy_after_failure() {
  try {
    destroy(true);
  } catch (const Error& e) {
    log::warning(e.what());
  }
}

void Container::Impl::join(const Process& process, Started& started) {
  const auto now_state = state();
  if (!process.options.ignore_paused) {
    const auto cgroup = manager_of(*now_state);
    const std::string by = cgroup->frozen_by();
    if (!by.empty() && state::init_alive(*now_state)) {
      if (cgroup->frozen())
        throw paused("cannot exec in a paused container (use --ignore-paused to override)");
      throw cgroups::frozen_error("cannot exec in the container", by);
    }
  }
  if (!process.user.empty() && !state::init_alive(*now_state))
    throw not_running("cannot exec in a stopped container");
  const std::string root = "/proc/" + std::to_string(now_state->init_pid) + "/root";
  const configs::Process what = resolve(process, now_state->config, root);
  started = launch::exec_process(*now_state, what, process.options);
}

void Container::Impl::begin(const Process& process, Started& started, bool now) {
  check_not_started(process);
  if (!launched) {
    Exclusive exclusive(*this);
    // Another thread may have made the init meanwhile.
    if (!launched) return launch_first(exclusive, process, started, now);
  }
  join(process, started);
}

void Container::Impl::launch_first(Exclusive& exclusive, const Process& process, Started& started,
                                   bool now) {
  configs::Process what;
  try {
    const auto known = state();
    what = resolve(process, known->config, known->config.rootfs);
  } catch (...) {
    directory.remove();
    gone = true;
    throw;
  }
  launch(exclusive, &what, process.options, started, now);
}

void Container::start(Process& process) {
  impl_->begin(process, process.started_, false);
  process.close_own_streams();
}

void Container::run(Process& process) {
  impl_->begin(process, process.started_, true);
  process.close_own_streams();
}

void Container::start(const LaunchOptions& options) {
  Started started;
  Impl::Exclusive exclusive(*impl_);
  if (impl_->launched) throw Error("the container has its init already");
  impl_->launch(exclusive, nullptr, options, started, false);
}

void Container::exec() {
  Impl::Exclusive exclusive(*impl_);
  const auto state = impl_->state();
  const Fd init = state::open_init(*state);
  if (!init) throw not_running("cannot start a container that has stopped");
  if (!impl_->directory.has_exec_fifo()) throw Error("cannot start an already running container");
  const auto cgroup = manager_of(*state);
  // Before exec.fifo is opened: an init that is held back would find it closed when it goes on.
  refuse_frozen_start(*cgroup);
  try {
    launch::let_go(impl_->directory, init, state->init_pid, [&] { refuse_frozen_start(*cgroup); });
    exclusive.release();
    run_poststart_hooks(*state);
  } catch (const Error& failure) {
    // runtime.md#lifecycle, 8 and 9: after a failing hook comes what delete does.
    if (!failure.field().starts_with("/hooks/")) throw;
    exclusive.release();
    impl_->destroy_after_failure();
    throw;
  }
}

void Container::signal(int number, bool all) {
  const auto state = impl_->state();
  const bool shared_pids = !has_own_pid_namespace(state->config);
  if (!state->cgroup_paths.empty() && (all || (number == SIGKILL && shared_pids))) {
    const auto cgroup = manager_of(*state);
    // The cgroup is gone with its processes: runc says so for a container that is not running.
    if (!all && !state::open_init(*state) && cgroup->processes().empty()) throw not_running();
    cgroup->kill(number);
    if (number == SIGKILL) cgroups::let_die(*cgroup);
    return;
  }
  const Fd init = state::open_init(*state);
  if (!init) throw not_running();
  if (sys::pidfd_send_signal(init.get(), number) != 0) {
    if (errno == ESRCH) throw not_running();
    throw Error("cannot signal the container's init", "pidfd_send_signal", errno);
  }
  if (number == SIGKILL) cgroups::let_die(*manager_of(*state));
}

void Container::pause() {
  const Impl::Exclusive exclusive(*impl_);
  const auto state = impl_->state();
  const Status now = status_of(*state, impl_->directory);
  if (now != Status::running && now != Status::created) throw not_running();
  manager_of(*state)->freeze(true);
}

void Container::resume() {
  const Impl::Exclusive exclusive(*impl_);
  const auto state = impl_->state();
  const auto cgroup = manager_of(*state);
  if (!state::init_alive(*state) || !cgroup->frozen()) {
    const std::string by = cgroup->frozen_by();
    throw(by.empty() ? Error("container not paused")
                     : cgroups::frozen_error("container not paused", by))
        .kind(ErrorKind::container_not_paused);
  }
  cgroup->freeze(false);
}

void Container::checkpoint(const CriuOptions& options) {
  Impl::Exclusive exclusive(*impl_);
  const auto state = impl_->state();
  const Status now = status_of(*state, impl_->directory);
  if (now != Status::running && now != Status::paused)
    throw not_running("Container cannot be checkpointed in " + std::string(status_name(now)) +
                      " state");
  // Lazy pages are waited for as long as nobody has come for them.
  if (options.lazy_pages) exclusive.release();
  checkpoint::dump(*state, processes(), options);
}

void Container::restore(Process& process, const CriuOptions& criu) {
  check_not_started(process);
  const Impl::Exclusive exclusive(*impl_);
  if (impl_->launched) throw Error("the container has its init already");
  impl_->make(process.started_, [&](State& next) {
    launch::restore_container({next, &process, process.options, impl_->directory, true}, criu,
                              process.started_);
  });
  process.close_own_streams();
}

std::vector<pid_t> Container::processes() const { return manager_of(*state())->processes(); }

Fd Container::open_init() const { return state::open_init(*state()); }

void Container::destroy(bool force) {
  try {
    impl_->destroy(force);
  } catch (const Error& e) {
    // Another thread did it while this one waited for its turn.
    if (!impl_->gone || e.kind() != ErrorKind::container_not_exists) throw;
  }
}

void Container::Impl::destroy(bool force) {
  if (gone) return;
  // Kill first: whoever holds the lock may be waiting for this init.
  if (force) {
    const auto known = state();
    end_init(*known, *manager_of(*known));
  }
  Exclusive exclusive(*this);
  // While another process had the lock the init may have been made.
  if (force && launched) put(directory.load());
  const auto last = state();
  const Status now = force ? Status::running : status_of(*last, directory);
  if (!force && now != Status::stopped && now != Status::created)
    throw Error("cannot delete container " + last->id +
                " that is not stopped: " + std::string(status_name(now)))
        .kind(ErrorKind::container_not_stopped);
  const auto cgroup = manager_of(*last);
  if (now != Status::stopped) end_init(*last, *cgroup);
  // The end of its PID namespace's init ends all; without one, or when others were put in there,
  // they are killed.
  if (last->init_pid != 0 && !has_own_pid_namespace(last->config)) cgroups::kill_all(*cgroup);
  try {
    cgroup->destroy();
  } catch (const Error&) {
    // Without an init it was not made whole: who is in there may be another's.
    if (!force || last->init_pid == 0) throw;
    cgroups::kill_all(*cgroup);
    cgroup->destroy();
  }
  network::disconnect(last->config.networks, last->id);
  if (last->config.intel_rdt && !last->intel_rdt_path.empty())
    resctrl::remove(last->intel_rdt_path, *last->config.intel_rdt, last->id);
  directory.remove();
  gone = true;
  launch::run_poststop_hooks(last->config, last->id);
}

void init_if_asked(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[0], init::kName) != 0) return;
  if (const auto preserve_fds = parse_number<unsigned>(argv[1])) init::run(*preserve_fds);
}

}  // namespace hull

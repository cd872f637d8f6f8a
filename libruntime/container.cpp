#include "libruntime/container.h"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>

#include "libruntime/cgroups/manager.h"
#include "libruntime/cgroups/update.h"
#include "libruntime/init/init.h"
#include "libruntime/launch/conversation.h"
#include "libruntime/launch/hook_files.h"
#include "libruntime/launch/launcher.h"
#include "libruntime/plan/channel.h"
#include "libruntime/plan/hooks.h"
#include "libruntime/resctrl/group.h"
#include "libruntime/state/oci_state.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"
#include "libruntime/system/users.h"

namespace hull {
namespace {

std::unique_ptr<cgroups::Manager> manager_of(const state::State& state) {
  return cgroups::load_manager(state.config.cgroup, state.cgroup_paths);
}

// Whether the process behind `pidfd` ended within the time (it may not be our child, so no wait).
bool ended_within(const Fd& pidfd, std::chrono::milliseconds time) {
  pollfd watch{pidfd.get(), POLLIN, 0};
  int ready = 0;
  while ((ready = poll(&watch, 1, static_cast<int>(time.count()))) < 0 && errno == EINTR) continue;
  return ready > 0;
}

constexpr std::chrono::seconds kKillTime{10};

bool has_own_pid_namespace(const configs::Config& config) {
  return config.find(configs::NamespaceType::pid) != nullptr;
}

// Reads what hull-init (or runc's) answers in exec.fifo: one byte when it goes on, then, from
// hull-init, an error or the end that a successful execve makes.
class StartAnswer {
 public:
  StartAnswer(const state::Directory& directory, const Fd& init, pid_t init_pid)
      : directory_(directory),
        init_(init),
        init_pid_(init_pid),
        fifo_(openat(directory.fd(), "exec.fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (!fifo_) throw Error("cannot open exec.fifo", "open", errno);
  }

  void wait() {
    while (!finished_) {
      pollfd watch[] = {{fifo_.get(), POLLIN, 0}, {init_.get(), POLLIN, 0}};
      if (poll(watch, 2, -1) < 0) {
        if (errno == EINTR) continue;
        throw Error("cannot wait for the container's init", "poll", errno);
      }
      const bool init_ended = watch[1].revents != 0;
      if (watch[0].revents != 0 || init_ended) read_some(init_ended);
    }
    if (answer_.empty()) throw Error("cannot start a container that has stopped");
    if (answer_.size() > 1) throw plan::decode_error(std::string_view(answer_).substr(1));
    if (launch::died_before_execve(init_pid_, init_))
      throw Error("the container's init died before it could execute the program");
  }

 private:
  void read_some(bool init_ended) {
    char buffer[4096];
    const ssize_t got = read(fifo_.get(), buffer, sizeof buffer);
    if (got > 0) {
      // From here on the container is no longer "created".
      if (answer_.empty()) unlinkat(directory_.fd(), "exec.fifo", 0);
      answer_.append(buffer, static_cast<size_t>(got));
      return;
    }
    if (got < 0 && errno == EINTR) return;
    if (got < 0 && errno != EAGAIN) throw Error("cannot read exec.fifo", "read", errno);
    // No writer: it has not opened the fifo yet, or has closed it after its byte, or is dead.
    finished_ = got == 0 ? (!answer_.empty() || init_ended) : init_ended;
  }

  const state::Directory& directory_;
  const Fd& init_;
  pid_t init_pid_;
  Fd fifo_;
  std::string answer_;
  bool finished_ = false;
};

// Nothing when state.json is missing or damaged. One that can't be read is neither: it may name
// what is to be removed.
std::optional<state::State> whole_state(const state::Directory& directory) {
  try {
    return directory.load();
  } catch (const Error& e) {
    if (e.code() != 0) throw;
    log::debug(std::string("state.json is missing or damaged: ") + e.what());
    return std::nullopt;
  }
}

std::string owner_name(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0) return {};
  // The host's passwd file only: a static program can't ask name services.
  const auto passwd = read_file_if_exists("/etc/passwd");
  return passwd ? name_of(*passwd, info.st_uid).value_or("") : "";
}

}  // namespace

Container::Container(std::string root, state::Directory directory, state::State state)
    : root_(std::move(root)), directory_(std::move(directory)), state_(std::move(state)) {}

namespace {

// The shared part of create and run.
state::State launch_container(const launch::Request& request, Started& started) {
  try {
    return launch::create_container(request, started);
  } catch (...) {
    // The container was on its way, so its end has to be told (runtime.md#lifecycle).
    launch::run_poststop_hooks(request.config, request.id);
    throw;
  }
}

void run_poststart_hooks(const state::State& state) {
  if (state.config.hooks.poststart.empty()) return;
  plan::run_hooks(
      state.config.hooks.poststart, "poststart",
      state::spec_state(state.config, state.id, "running", std::to_string(state.init_pid)), true,
      launch::HookFiles::open(state.config).output());
}

}  // namespace

Container Container::create(const std::string& root, const std::string& id,
                            const configs::Config& config, const configs::Process* process,
                            const LaunchOptions& options, Started& started) {
  state::Directory directory = state::Directory::claim(root, id);
  state::State state = launch_container({id, config, process, options, directory, false}, started);
  directory.unlock();
  return {root, std::move(directory), std::move(state)};
}

Container Container::run(const std::string& root, const std::string& id,
                         const configs::Config& config, const configs::Process& process,
                         const LaunchOptions& options, Started& started) {
  state::Directory directory = state::Directory::claim(root, id);
  state::State state = launch_container({id, config, &process, options, directory, true}, started);
  directory.unlock();
  Container container(root, std::move(directory), std::move(state));
  try {
    run_poststart_hooks(container.state_);
  } catch (...) {
    container.destroy_after_failure();
    throw;
  }
  return container;
}

// One that was read while its init was on the way has to be read again: what is known of it is
// neither its process nor its status.
void Container::lock() {
  directory_.lock();
  if (state_.init_pid == 0) state_ = directory_.load();
}

Container Container::load(const std::string& root, const std::string& id) {
  state::Directory directory = state::Directory::open(root, id);
  state::State state = directory.load();
  return {root, std::move(directory), std::move(state)};
}

void Container::remove_remains(const std::string& root, const std::string& id) {
  try {
    state::Directory directory = state::Directory::open(root, id);
    auto state = whole_state(directory);
    if (!state) {
      // It may be on its way.
      directory.lock();
      state = whole_state(directory);
      // Cgroups are made after state.json is whole, so there are none.
      if (!state) return directory.remove();
      directory.unlock();
    }
    Container(root, std::move(directory), std::move(*state)).destroy(true);
  } catch (const Error& e) {
    if (e.message() != state::kDoesNotExist) throw;
  }
}

Status Container::status() const {
  if (!state::init_alive(state_)) return Status::stopped;
  if (directory_.has_exec_fifo()) return Status::created;
  return manager_of(state_)->frozen() ? Status::paused : Status::running;
}

std::string Container::oci_state(std::string_view owner) const {
  return state::query_state(state_, status(), owner);
}

std::string Container::owner() const { return owner_name(directory_.path()); }

void Container::start() {
  lock();
  switch (status()) {
    case Status::created:
      break;
    case Status::stopped:
      throw Error("cannot start a container that has stopped");
    default:
      throw Error("cannot start an already running container");
  }
  const Fd init = state::open_init(state_);
  if (!init) throw Error("cannot start a container that has stopped");
  try {
    StartAnswer(directory_, init, state_.init_pid).wait();
    directory_.unlock();
    run_poststart_hooks(state_);
  } catch (const Error& failure) {
    // runtime.md#lifecycle, 8 and 9: after a failing hook comes what delete does.
    if (!failure.field().starts_with("/hooks/")) throw;
    directory_.unlock();
    destroy_after_failure();
    throw;
  }
}

void Container::destroy_after_failure() {
  try {
    destroy(true);
  } catch (const Error& e) {
    log::warning(e.what());
  }
}

Started Container::exec(const configs::Process& process, const LaunchOptions& options) {
  const Status now = status();
  if (now == Status::stopped) throw Error("cannot exec in a stopped container");
  if (now == Status::paused && !options.ignore_paused)
    throw Error("cannot exec in a paused container (use --ignore-paused to override)");
  return launch::exec_process(state_, process, options);
}

void Container::kill(int signal, bool all) {
  const bool shared_pids = !has_own_pid_namespace(state_.config);
  if (all || (signal == SIGKILL && shared_pids)) {
    const auto cgroup = manager_of(state_);
    // The cgroup is gone with its processes: runc says so for a container that is not running.
    if (!all && !state::open_init(state_) && cgroup->processes().empty())
      throw Error("container not running");
    cgroup->kill(signal);
    return;
  }
  const Fd init = state::open_init(state_);
  if (!init) throw Error("container not running");
  if (sys::pidfd_send_signal(init.get(), signal) != 0) {
    if (errno == ESRCH) throw Error("container not running");
    throw Error("cannot signal the container's init", "pidfd_send_signal", errno);
  }
  // A frozen v1 cgroup holds the signal back until it thaws.
  if (signal == SIGKILL) {
    const auto cgroup = manager_of(state_);
    if (cgroup->frozen()) cgroup->freeze(false);
  }
}

void Container::pause() {
  lock();
  const Status now = status();
  if (now != Status::running && now != Status::created) throw Error("container not running");
  manager_of(state_)->freeze(true);
  directory_.unlock();
}

void Container::resume() {
  lock();
  const auto cgroup = manager_of(state_);
  if (!state::init_alive(state_) || !cgroup->frozen()) throw Error("container not paused");
  cgroup->freeze(false);
  directory_.unlock();
}

void Container::set(const configs::Resources& changes) {
  directory_.lock();
  state_ = directory_.load();  // another process may have changed limits since
  if (!state::init_alive(state_)) throw Error("container not running");
  state::State next = state_;
  configs::Resources& target = next.config.cgroup.resources;
  target = cgroups::updated(target, changes, !state_.cgroup_paths.contains("memory"));
  // Written before and put in place after, so that neither is done alone.
  FileDraft draft = directory_.draft(next);
  manager_of(state_)->set(cgroups::to_write(changes, target));
  draft.commit();
  state_ = std::move(next);
  directory_.unlock();
}

void Container::set_cache_schemata(const std::string& l3_cache,
                                   const std::string& memory_bandwidth) {
  directory_.lock();
  state_ = directory_.load();
  if (!state::init_alive(state_)) throw Error("container not running");
  const bool new_class = !state_.config.intel_rdt;
  configs::IntelRdt wanted = state_.config.intel_rdt.value_or(configs::IntelRdt{});
  if (!l3_cache.empty()) wanted.l3_cache_schema = l3_cache;
  if (!memory_bandwidth.empty()) wanted.mem_bw_schema = memory_bandwidth;
  if (new_class) {
    state_.intel_rdt_path = resctrl::group_path(resctrl::mount_point(), wanted, state_.id);
    resctrl::enter(state_.intel_rdt_path, wanted, state_.id, state_.init_pid);
    for (const pid_t pid : processes())
      resctrl::join(state_.intel_rdt_path, wanted, state_.id, pid);
  } else {
    resctrl::write_schemata(state_.intel_rdt_path, wanted);
  }
  state_.config.intel_rdt = wanted;
  directory_.save(state_);
  directory_.unlock();
}

std::vector<pid_t> Container::processes() const { return manager_of(state_)->processes(); }

Stats Container::stats() const { return cgroups::read_stats(state_.cgroup_paths); }

OomWatch Container::notify_oom() const { return OomWatch(state_.cgroup_paths); }

PressureWatch Container::notify_memory_pressure(PressureLevel level) const {
  return {state_.cgroup_paths, level};
}

Fd Container::open_init() const { return state::open_init(state_); }

void Container::end_init(cgroups::Manager& cgroup) const {
  const Fd init = state::open_init(state_);
  if (!init) return;
  if (sys::pidfd_send_signal(init.get(), SIGKILL) != 0 && errno != ESRCH)
    throw Error("cannot kill the container's init", "pidfd_send_signal", errno);
  // A frozen v1 cgroup holds the signal back until it thaws.
  if (cgroup.frozen()) cgroup.freeze(false);
  if (!ended_within(init, kKillTime)) throw Error("container init still running");
}

void Container::destroy(bool force) {
  const auto cgroup = manager_of(state_);
  Status now = Status::running;
  if (force) {
    // Kill first: whoever holds the lock may be waiting for this init.
    end_init(*cgroup);
    directory_.lock();
    // While another process had the lock the init may have been made.
    state_ = directory_.load();
  } else {
    lock();
    now = status();
    if (now != Status::stopped && now != Status::created)
      throw Error("cannot delete container " + state_.id +
                  " that is not stopped: " + std::string(state::status_name(now)));
  }
  if (force || now != Status::stopped) end_init(*cgroup);
  // The end of its PID namespace's init ends all; without one, or when others were put in there,
  // they are killed.
  if (state_.init_pid != 0 && !has_own_pid_namespace(state_.config)) cgroup->kill(SIGKILL);
  try {
    cgroup->destroy();
  } catch (const Error&) {
    // Without an init it was not made whole: who is in there may be another's.
    if (!force || state_.init_pid == 0) throw;
    cgroup->kill(SIGKILL);
    cgroup->destroy();
  }
  if (state_.config.intel_rdt && !state_.intel_rdt_path.empty())
    resctrl::remove(state_.intel_rdt_path, *state_.config.intel_rdt, state_.id);
  directory_.remove();
  launch::run_poststop_hooks(state_.config, state_.id);
}

void init_if_asked(int argc, char** argv) {
  if (argc != 2 || std::strcmp(argv[0], init::kName) != 0) return;
  if (const auto preserve_fds = parse_number<unsigned>(argv[1])) init::run(*preserve_fds);
}

}  // namespace hull

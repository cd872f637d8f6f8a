#include "cmd/hull/nsinit_exec.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "cmd/hull/foreground.h"
#include "cmd/hull/legacy_pid.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::cmd {
namespace {

// One container a directory, whatever its path.
std::string id_of(const std::string& directory) {
  struct stat info {};
  if (stat(directory.c_str(), &info) != 0)
    throw Error("cannot look at " + quote(directory), "stat", errno);
  return "nsinit-" + std::to_string(info.st_dev) + "-" + std::to_string(info.st_ino);
}

// Nothing also when it is on its way, or was made half by one that was killed.
std::optional<Container> load_if_alive(const std::string& root, const std::string& id) {
  try {
    Container container = Factory(root).load(id);
    if (container.status() != Status::stopped) return container;
  } catch (const Error& e) {
    if (e.code() != 0) throw;
  }
  return std::nullopt;
}

LegacyPid pid_of(const Container& container) {
  const auto state = container.state();
  return {state->init_pid, state->init_start_time};
}

// The road of `hull run`: container.json becomes a config.json, and that a container.
struct Parts {
  configs::Config config;
  Process process;
};

Parts parts_of(const Globals& globals, const LegacyContainer& legacy, const std::string& id,
               std::vector<std::string> args) {
  const specconv::Spec spec =
      specconv::parse(legacy_config_json(legacy, std::move(args), globals.systemd_cgroup));
  specconv::validate(spec);
  specconv::Options options;
  options.id = id;
  options.bundle = absolute_path(".");
  options.systemd_cgroup = globals.systemd_cgroup;
  options.no_pivot = legacy.container.no_pivot_root;
  options.rootless_euid = geteuid() != 0;
  options.rootless_cgroups = globals.rootless_cgroups();
  Parts out{specconv::to_config(spec, options), Process()};
  out.process = Process(specconv::to_process(*spec.process));
  // The container goes with this process.
  out.config.parent_death_signal = SIGKILL;
  return out;
}

// A container that this process made: it goes at the end, with its files.
class Own {
 public:
  Own(Container container, std::string directory)
      : container_(std::move(container)), directory_(std::move(directory)) {}
  ~Own() {
    remove_legacy_pid(directory_, pid_of(container_));
    try {
      container_.destroy(true);
    } catch (const Error& e) {
      log::error(e.what());
    }
  }
  Own(const Own&) = delete;
  Own& operator=(const Own&) = delete;
  void announce() const { write_legacy_pid(directory_, pid_of(container_)); }
  void exec() { container_.exec(); }

 private:
  Container container_;
  std::string directory_;
};

// Of several nsinits that start in one directory at once, one makes the container and the others
// join it. The lock lies where no container can hold it.
class Lock {
 public:
  explicit Lock(const std::string& root) {
    make_directories(root, 0711);
    directory_ = open_or_throw(AT_FDCWD, root, O_RDONLY | O_DIRECTORY);
    while (flock(directory_.get(), LOCK_EX) != 0)
      if (errno != EINTR) throw Error("cannot lock " + quote(root), "flock", errno);
  }
  void release() { directory_.reset(); }

 private:
  Fd directory_;
};

int make_and_run(const Globals& globals, const LegacyContainer& legacy, const std::string& id,
                 std::vector<std::string> args, Lock& lock) {
  Parts parts = parts_of(globals, legacy, id, std::move(args));
  Foreground foreground(true);
  foreground.set_console_size(parts.process);
  const Factory factory(globals.root);
  factory.remove(id);  // what is left of a dead one
  Container made = factory.create(id, std::move(parts.config));
  made.start(parts.process);
  Own own(std::move(made), legacy.directory);
  own.announce();
  lock.release();
  own.exec();
  return foreground.wait(parts.process, nullptr);
}

int join_and_run(const Globals& globals, const LegacyContainer& legacy, Container& container,
                 std::vector<std::string> args) {
  Parts parts = parts_of(globals, legacy, container.id(), std::move(args));
  Foreground foreground(false);
  foreground.set_console_size(parts.process);
  container.run(parts.process);
  return foreground.wait(parts.process, nullptr);
}

}  // namespace

std::optional<Container> find_legacy_container(const Globals& globals,
                                               const std::string& directory) {
  const auto named = read_legacy_pid(directory);
  const bool named_lives = named && is_alive(*named);
  auto container = load_if_alive(globals.root, id_of(directory));
  // To join what a file names would let the container lead us into any process of the host.
  if (named_lives && (!container || pid_of(*container) != *named))
    throw Error("process " + std::to_string(named->pid) +
                ", which the pid file names, is the init of no container in " + quote(globals.root))
        .hint("with another --root it may be; else remove the pid file");
  if (container && !named_lives)
    throw Error("a container runs in " + quote(directory) +
                ", but its pid file does not name its init, process " +
                std::to_string(pid_of(*container).pid))
        .hint("`hull kill` and `hull delete` take its ID, " + container->id());
  return container;
}

int exec_legacy(const Globals& globals, const LegacyContainer& legacy,
                std::vector<std::string> args) {
  Lock lock(globals.root);
  auto container = find_legacy_container(globals, legacy.directory);
  if (!container)
    return make_and_run(globals, legacy, id_of(legacy.directory), std::move(args), lock);
  lock.release();
  return join_and_run(globals, legacy, *container, std::move(args));
}

}  // namespace hull::cmd

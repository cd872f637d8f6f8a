// libruntime as a program uses it. This executable is its containers' init itself (init_if_asked).
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mount.h>

#include <array>
#include <csignal>
#include <stdexcept>
#include <thread>
#include <utility>
#include <vector>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/configs/default_devices.h"
#include "libruntime/factory.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

using configs::NamespaceType;

// A state root and a root file system; CHECKs at the end that nothing is left.
class Library {
 public:
  explicit Library(const char* name)
      : root_(bundle_.dir() + "/state"), id_(bundle_.mark() + name), factory_(root_) {}
  ~Library() {
    try {
      factory_.remove(id_);
    } catch (const Error& e) {
      FAIL_CHECK(e.what());
    }
    CHECK(factory_.list().empty());
    CHECK(cgroups_with(id_).empty());
    CHECK(mounts_with(bundle_.mark()).empty());
  }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  [[nodiscard]] configs::Config config() const {
    configs::Config out;
    out.rootfs = bundle_.rootfs();
    out.cgroup.path = "/" + id_;
    out.cgroup.resources.devices = configs::default_device_rules();
    out.devices = configs::default_devices();
    out.hostname = "library";
    for (const auto type :
         {NamespaceType::mount, NamespaceType::pid, NamespaceType::uts, NamespaceType::ipc})
      out.namespaces.push_back({type, ""});
    for (const auto& [type, place] : {std::pair("proc", "/proc"), std::pair("tmpfs", "/dev"),
                                      std::pair("devpts", "/dev/pts")}) {
      configs::Mount mount;
      mount.source = mount.type = type;
      mount.destination = place;
      out.mounts.push_back(mount);
    }
    return out;
  }
  [[nodiscard]] Container create() const { return factory_.create(id_, config()); }
  [[nodiscard]] const Factory& factory() const { return factory_; }
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const Bundle& bundle() const { return bundle_; }

 private:
  Bundle bundle_;
  std::string root_;
  std::string id_;
  Factory factory_;
};

hull::Process shell(const std::string& script) {
  hull::Process out;
  out.args = {"/bin/sh", "-c", script};
  out.env = {"PATH=/bin"};
  return out;
}

// What the process writes to its standard output until it closes it.
std::string output(hull::Process::Pipes& pipes) {
  return read_all(pipes.out.get(), "pipe", 1 << 16);
}

template <class Do>
ErrorKind kind_of(Do&& act) {
  try {
    act();
  } catch (const Error& e) {
    INFO(e.detail());
    CHECK(e.detail().find(std::string(error_kind_name(e.kind()))) != std::string::npos);
    CHECK(e.detail().find(".cpp:") != std::string::npos);
    return e.kind();
  }
  FAIL_CHECK("no error");
  return ErrorKind::system;
}

}  // namespace

TEST_CASE("a program runs a process in a container and gets its output and exit status",
          "[library][L1][L4][L7][L15][L20][L31][L32][L40][L47][L88]") {
  const Library library("run");
  Container container = library.create();
  CHECK(container.status() == Status::stopped);
  hull::Process process = shell("hostname; read line; echo $line >&2; exit 3");
  hull::Process::Pipes pipes = process.initialize_io();
  container.run(process);
  CHECK(container.status() == Status::running);
  write_all(pipes.in.get(), "typed\n", "pipe");
  CHECK(output(pipes) == "library\n");
  CHECK(read_all(pipes.err.get(), "pipe", 100) == "typed\n");
  CHECK(process.wait().status() == 3);
  CHECK(container.status() == Status::stopped);
  container.destroy();
  container.destroy();  // twice is no error
}

TEST_CASE("start waits for exec, and further processes join",
          "[library][L3][L6][L8][L9][L10][L11][L12][L13][L14][L16][L18][L19][L30]") {
  const Library library("start");
  Container container = library.create();
  hull::Process init = shell("exec sleep 100");
  container.start(init);
  CHECK(container.status() == Status::created);
  container.exec();
  CHECK(container.status() == Status::running);
  CHECK(container.processes() == std::vector<pid_t>{init.pid()});

  hull::Process second = shell("echo $$; exit 5");
  hull::Process::Pipes pipes = second.initialize_io();
  container.run(second);
  CHECK(output(pipes) != "1\n");
  CHECK(second.wait().status() == 5);

  // Another object finds it by what is stored.
  Container same = library.factory().load(library.id());
  CHECK(same.state()->init_pid == init.pid());
  CHECK(same.config().hostname == "library");
  CHECK(library.factory().list() == std::vector<std::string>{library.id()});
  CHECK(Json::parse(same.oci_state()).at("status") == "running");
  same.pause();
  CHECK(container.status() == Status::paused);
  container.resume();
  configs::Resources limits;
  limits.pids_limit = 33;
  container.set(limits);
  CHECK(same.stats().pids.limit == 33);
  container.signal(SIGKILL);
  CHECK(init.wait().signal == SIGKILL);
  container.destroy();
}

TEST_CASE("descriptors of the caller get the container's numbers in order", "[library][L33][L52]") {
  const Library library("fds");
  Container container = library.create();
  const Fd first = open_or_throw(AT_FDCWD, "/dev/zero", O_RDONLY);
  const Fd second = open_or_throw(AT_FDCWD, "/dev/full", O_RDONLY);
  hull::Process process = shell("for f in /proc/self/fd/*; do readlink $f; done; true");
  process.options.extra_fds = {second.get(), first.get()};
  hull::Process::Pipes pipes = process.initialize_io();
  container.run(process);
  const std::string seen = output(pipes);
  INFO(seen);
  CHECK(seen.find("/dev/full\n/dev/zero\n") != std::string::npos);
  CHECK(seen.find("socket:") == std::string::npos);
  CHECK(process.wait().status() == 0);
  container.destroy();
}

TEST_CASE("a user's name is looked up in the container's files", "[library]") {
  const Library library("user");
  write_file(library.bundle().rootfs("/etc/passwd"), "root:x:0:0::/:\nweb:x:33:34::/srv:\n");
  write_file(library.bundle().rootfs("/etc/group"), "disk:x:6:web\naudio:x:29:\n");
  Container container = library.create();
  hull::Process init = shell("id -u; id -g; id -G; exec sleep 100");
  init.user = "web";
  hull::Process::Pipes pipes = init.initialize_io();
  container.run(init);
  char text[32];
  std::string seen;
  while (seen.find("34 6\n") == std::string::npos) {
    const ssize_t got = read(pipes.out.get(), text, sizeof text);
    REQUIRE(got > 0);
    seen.append(text, static_cast<size_t>(got));
  }
  CHECK(seen == "33\n34\n34 6\n");
  hull::Process other = shell("id -G");
  other.user = "web:audio";
  hull::Process::Pipes others = other.initialize_io();
  container.run(other);
  CHECK(output(others) == "29\n");
  CHECK(other.wait().status() == 0);
  hull::Process unknown = shell("true");
  unknown.user = "nobody-there";
  CHECK_THROWS_WITH(container.run(unknown),
                    "unable to find user nobody-there: no matching entries in passwd file "
                    "(/process/user)");
  container.destroy(true);
  CHECK(init.wait().signal == SIGKILL);
}

TEST_CASE("hooks can be functions of the program", "[library][L54]") {
  const Library library("hooks");
  configs::Config config = library.config();
  std::vector<std::string> seen;
  const auto note = [&](const std::string& state) {
    const Json json = Json::parse(state);
    seen.push_back(json.at("status").get<std::string>() + " " + json.at("id").get<std::string>());
  };
  configs::Hook hook;
  hook.function = note;
  config.hooks.create_runtime = {hook};
  config.hooks.poststart = {hook};
  config.hooks.poststop = {hook};
  Container container = library.factory().create(library.id(), config);
  hull::Process process = shell("true");
  container.run(process);
  process.wait();
  container.destroy();
  CHECK(seen == std::vector<std::string>{"creating " + library.id(), "running " + library.id(),
                                         "stopped " + library.id()});

  config.hooks = {};
  hook.function = [](const std::string&) { throw std::runtime_error("not today"); };
  config.hooks.prestart = {hook};
  Container refused = library.factory().create(library.id(), config);
  hull::Process never = shell("true");
  CHECK_THROWS_WITH(refused.run(never),
                    "unable to start container process: error during container init: error running "
                    "prestart hook #0: a function: not today "
                    "(/hooks/prestart/0)");
  CHECK(library.factory().list().empty());

  config.hooks = {};
  config.hooks.start_container = {hook};
  CHECK(kind_of([&] { (void)library.factory().create(library.id(), config); }) ==
        ErrorKind::config_invalid);
}

TEST_CASE("each kind of error comes where it belongs", "[library][L2][L26]") {
  const Library library("errors");
  const Factory& factory = library.factory();
  CHECK(kind_of([&] { (void)factory.create("../x", library.config()); }) == ErrorKind::invalid_id);
  CHECK(kind_of([&] { (void)factory.load(library.id()); }) == ErrorKind::container_not_exists);
  configs::Config without_uts = library.config();
  without_uts.namespaces = {{NamespaceType::mount, ""}};
  CHECK(kind_of([&] { (void)factory.create(library.id(), without_uts); }) ==
        ErrorKind::config_invalid);

  // A start that fails leaves nothing, and no handle on what is dead.
  for (const bool known_user : {true, false}) {
    Container failing = library.create();
    hull::Process refused = shell("true");
    if (!known_user) refused.user = "nobody-there";
    refused.args = {"/not-there"};
    CHECK(kind_of([&] { failing.run(refused); }) == ErrorKind::system);
    CHECK_FALSE(refused.started());
    CHECK(factory.list().empty());
    failing.destroy();
    CHECK(kind_of([&] { failing.run(refused); }) == ErrorKind::container_not_exists);
  }

  Container container = library.create();
  CHECK(kind_of([&] { (void)factory.create(library.id(), library.config()); }) ==
        ErrorKind::id_in_use);
  CHECK(kind_of([&] { container.signal(SIGTERM); }) == ErrorKind::container_not_running);
  CHECK(kind_of([&] { container.exec(); }) == ErrorKind::container_not_running);
  hull::Process init = shell("exec sleep 100");
  CHECK(kind_of([&] { (void)init.pid(); }) == ErrorKind::no_process);
  CHECK(kind_of([&] { init.wait(); }) == ErrorKind::no_process);
  init.terminal = true;
  container.run(init);
  CHECK(init.console().valid());
  CHECK(kind_of([&] { container.run(init); }) == ErrorKind::console_exists);
  CHECK(kind_of([&] { container.resume(); }) == ErrorKind::container_not_paused);
  CHECK(kind_of([&] { container.destroy(); }) == ErrorKind::container_not_stopped);
  container.pause();
  hull::Process second = shell("true");
  CHECK(kind_of([&] { container.run(second); }) == ErrorKind::container_paused);
  container.resume();
  second.args = {"/not-there"};
  CHECK(kind_of([&] { container.run(second); }) == ErrorKind::system);
  CHECK_FALSE(second.started());
  container.destroy(true);
  CHECK(init.wait().signal == SIGKILL);
}

TEST_CASE("of threads that start a container at once one makes it, the others join", "[library]") {
  const Library library("at-once");
  Container container = library.create();
  std::array<hull::Process, 4> processes;
  std::vector<std::thread> threads;
  for (hull::Process& process : processes) {
    process = shell("exec sleep 100");
    threads.emplace_back([&] { container.run(process); });
  }
  for (std::thread& one : threads) one.join();
  CHECK(container.status() == Status::running);
  CHECK(container.processes().size() == processes.size());
  container.signal(SIGKILL);
  threads.clear();
  for (hull::Process& process : processes) threads.emplace_back([&] { process.wait(); });
  for (std::thread& one : threads) one.join();
  threads.clear();
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { container.destroy(); });
  for (std::thread& one : threads) one.join();
}

TEST_CASE("a call that fails holds no lock", "[library]") {
  const Library library("lock");
  Container container = library.create();
  State on_its_way;
  on_its_way.id = library.id();
  write_file(container.directory() + "/state.json", to_json(on_its_way));
  Container loaded = library.factory().load(library.id());
  write_file(container.directory() + "/state.json", "{");
  CHECK(kind_of([&] { loaded.pause(); }) == ErrorKind::system);
  const Fd directory = open_or_throw(AT_FDCWD, container.directory(), O_RDONLY | O_DIRECTORY);
  CHECK(flock(directory.get(), LOCK_EX | LOCK_NB) == 0);
}

TEST_CASE("threads take turns on one container", "[library][L27]") {
  const Library library("threads");
  Container container = library.create();
  hull::Process init = shell("exec sleep 100");
  container.run(init);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 5; ++round) {
        hull::Process process = shell("exit 4");
        configs::Resources limits;
        limits.pids_limit = 100 + i;
        container.set(limits);
        container.run(process);
        if (process.wait().status() == 4 && !container.oci_state().empty()) ++good;
      }
    });
  }
  for (std::thread& one : threads) one.join();
  CHECK(good == 20);
  container.destroy(true);
  init.wait();
}

}  // namespace hull::conformance

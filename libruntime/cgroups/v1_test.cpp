#include "libruntime/cgroups/v1.h"

#include <algorithm>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/cgroups/tree.h"
#include "libruntime/system/catch.h"

// On the kernel's own v1 hierarchies, in cgroups of a name of their own.
namespace hull::cgroups {
namespace {

using test::Child;
using test::Container;
using test::exists;
using test::field_of;
using test::has_v1;
using test::no_limits;
using test::unique_name;

#define NEEDS_V1() \
  if (!has_v1()) HULL_SKIP("needs root and the v1 devices and freezer hierarchies")

constexpr std::string_view kDefaultList = "b *:* m\nc *:* m\nc 136:* rwm\nc 1:3 rwm\nc 1:5 rwm";

configs::Resources default_devices() {
  configs::Resources out;
  out.devices = {{'a', -1, -1, "rwm", false}, {'c', -1, -1, "m", true},
                 {'b', -1, -1, "m", true},    {'c', 1, 3, "rwm", true},
                 {'c', 1, 5, "rwm", true},    {'c', 136, -1, "rwm", true}};
  return out;
}

std::string sorted_lines(const std::string& text) {
  auto parts = split(text, '\n');
  std::ranges::sort(parts);
  std::string out;
  for (const std::string_view part : parts) out += (out.empty() ? "" : "\n") + std::string(part);
  return out;
}

TEST_CASE("create makes a directory in every hierarchy and destroy removes them", "[L60]") {
  NEEDS_V1();
  Container container;
  CHECK_FALSE(container.any_directory());
  container.manager->create(no_limits());
  for (const auto& [key, path] : container.manager->paths()) CHECK(exists(path));
  container.manager->destroy();
  CHECK_FALSE(container.any_directory());
  CHECK_NOTHROW(container.manager->destroy());
}

TEST_CASE("a relative name is a cgroup below the caller's own") {
  NEEDS_V1();
  configs::Cgroup config;
  config.name = unique_name();
  const auto manager = make_manager(config, read_layout());
  manager->create(no_limits());
  const Entrance entrance = manager->open_entrance();
  const Child child(entrance);
  CHECK(child.entered());
  CHECK(manager->processes() == std::vector<pid_t>{child.pid()});
  manager->kill(SIGKILL);
  manager->destroy();
}

TEST_CASE("device rules become the list that runc would write") {
  NEEDS_V1();
  Container container;
  container.manager->create(default_devices());
  CHECK(sorted_lines(*read_value(container.path("devices"), "devices.list")) == kDefaultList);
  // Again on the cgroup that is there: only what differs is written.
  configs::Resources other = default_devices();
  other.devices.push_back({'c', 1, 5, "w", false});
  container.manager->create(other);
  CHECK(read_value(container.path("devices"), "devices.list")->find("c 1:5 rm") !=
        std::string::npos);
}

TEST_CASE("a process that enters by the tasks files is in every hierarchy") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  const Entrance entrance = container.manager->open_entrance();
  const Child child(entrance, 2);
  REQUIRE(child.entered());
  CHECK(container.manager->processes().size() == 3);
  for (const auto& [key, path] : container.manager->paths())
    CHECK(read_file(path + "/cgroup.procs").find(std::to_string(child.pid())) != std::string::npos);
}

TEST_CASE("kill reaches every process, also in sub-cgroups and in a frozen cgroup") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  Child child(container.manager->open_entrance(), 5);
  const std::string sub = container.path("devices") + "/sub";
  REQUIRE(mkdir(sub.c_str(), 0755) == 0);
  Entrance below;
  below.task_files.push_back(sub + "/tasks");
  Child nested(below);
  REQUIRE(nested.entered());
  CHECK(container.manager->processes().size() == 7);
  container.manager->freeze(true);
  container.manager->kill(SIGKILL);
  CHECK(child.killed_by() == SIGKILL);
  CHECK(nested.killed_by() == SIGKILL);
  CHECK_FALSE(container.manager->frozen());
  container.manager->destroy();
  CHECK_FALSE(container.any_directory());
}

TEST_CASE("kill works without the unified hierarchy too") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  auto paths = container.manager->paths();
  paths.erase("");
  Entrance entrance = container.manager->open_entrance();
  entrance.unified.reset();
  Child child(entrance, 300);
  REQUIRE(child.entered());
  const auto loaded = load_manager(container.config, paths);
  CHECK(loaded->processes().size() == 301);
  loaded->kill(SIGKILL);
  CHECK(child.killed_by() == SIGKILL);
  loaded->destroy();
  CHECK_FALSE(exists(paths.at("devices")));
}

TEST_CASE("kill outruns a fork bomb, and destroy leaves nothing of it") {
  NEEDS_V1();
  Container container;
  configs::Resources resources = no_limits();
  resources.pids_limit = 100;
  container.manager->create(resources);
  auto paths = container.manager->paths();
  paths.erase("");  // without cgroup.kill
  Entrance entrance = container.manager->open_entrance();
  entrance.unified.reset();
  const pid_t bomb = fork();
  if (bomb == 0) {
    for (const std::string& path : entrance.task_files) write_existing(path, "0");
    signal(SIGCHLD, SIG_IGN);
    for (;;)
      if (fork() == 0 && getpid() % 3 == 0) _exit(0);
  }
  const auto loaded = load_manager(container.config, paths);
  while (loaded->processes().size() < 50) usleep(1000);
  loaded->kill(SIGKILL);
  loaded->destroy();
  waitpid(bomb, nullptr, 0);
  CHECK_FALSE(exists(paths.at("pids")));
}

TEST_CASE("destroy of a cgroup that stays in use says by which process") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  const Child child(container.manager->open_entrance());
  try {
    remove_below(container.path("devices"), Deadline(std::chrono::milliseconds(50)));
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.code() == EBUSY);
    CHECK(e.message().find(std::to_string(child.pid())) != std::string::npos);
  }
  try {
    remove_below(container.path(""), Deadline(std::chrono::milliseconds(50)));
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.message().find(std::to_string(child.pid())) != std::string::npos);
  }
}

// What create says to an unprivileged caller: the field of its error, or "no error".
std::string unprivileged_create(const configs::Cgroup& config, const configs::Resources& resources,
                                size_t* paths_left) {
  int result[2];
  if (pipe(result) != 0) std::abort();
  const pid_t pid = fork();
  if (pid == 0) {
    if (setgid(65534) != 0 || setuid(65534) != 0) _exit(1);
    const auto manager = make_manager(config, read_layout());
    const std::string field = field_of([&] { manager->create(resources); });
    const std::string text = std::to_string(manager->paths().size()) + " " + field;
    _exit(write(result[1], text.data(), text.size()) > 0 ? 0 : 1);
  }
  close(result[1]);
  char text[256] = {};
  const ssize_t got = read(result[0], text, sizeof text - 1);
  close(result[0]);
  waitpid(pid, nullptr, 0);
  const std::string_view answer(text, got > 0 ? static_cast<size_t>(got) : 0);
  const size_t space = answer.find(' ');
  *paths_left = parse_number<size_t>(answer.substr(0, space)).value_or(99);
  return std::string(answer.substr(space + 1));
}

TEST_CASE("rootless: without permission, limits and a path the container goes without a cgroup",
          "[L64]") {
  NEEDS_V1();
  size_t left = 0;
  configs::Cgroup config;
  config.name = unique_name();
  CHECK(unprivileged_create(config, no_limits(), &left) == "/linux/cgroupsPath");
  config.rootless = true;
  CHECK(unprivileged_create(config, no_limits(), &left) == "no error");
  CHECK(left == 0);
  configs::Resources limited = no_limits();
  limited.pids_limit = 10;
  CHECK(unprivileged_create(config, limited, &left) == "/linux/resources/pids");
  config.path = "/" + config.name;
  config.name.clear();
  CHECK(unprivileged_create(config, no_limits(), &left) == "/linux/cgroupsPath");
}

TEST_CASE("another signal than SIGKILL is sent to every process") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  Child child(container.manager->open_entrance(), 2);
  container.manager->kill(SIGTERM);
  CHECK(child.killed_by() == SIGTERM);
}

TEST_CASE("freeze waits until all processes are frozen, and thaw until they run") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  const Child child(container.manager->open_entrance());
  CHECK_FALSE(container.manager->frozen());
  container.manager->freeze(true);
  CHECK(container.manager->frozen());
  CHECK(read_value(container.path("freezer"), "freezer.state") == "FROZEN");
  container.manager->freeze(false);
  CHECK_FALSE(container.manager->frozen());
}

TEST_CASE("a cgroup below a frozen one is not itself frozen, and says what keeps it") {
  NEEDS_V1();
  const std::string name = "/" + unique_name();
  Container outer(name);
  Container inner(name + "/inner");
  outer.manager->create(no_limits());
  inner.manager->create(no_limits());
  outer.manager->freeze(true);
  CHECK_FALSE(inner.manager->frozen());
  CHECK_THROWS_AS(inner.manager->freeze(false), Error);
  outer.manager->freeze(false);
}

TEST_CASE("a cgroup that holds a process or is frozen is refused") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  {
    const Child child(container.manager->open_entrance());
    CHECK(field_of([&] { container.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  }
  container.manager->freeze(true);
  CHECK(field_of([&] { container.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  Container below(container.config.path + "/below");
  CHECK(field_of([&] { below.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  CHECK_FALSE(below.any_directory());
  container.manager->freeze(false);
}

TEST_CASE("a create that fails leaves nothing, not even parents") {
  NEEDS_V1();
  const std::string name = "/" + unique_name();
  Container container(name + "/a/b");
  configs::Resources resources = no_limits();
  resources.cpuset_cpus = "4000";
  CHECK(field_of([&] { container.manager->create(resources); }) == "/linux/resources/cpu/cpus");
  for (const auto& [key, path] : container.manager->paths())
    CHECK_FALSE(exists(path.substr(0, path.size() - 4)));
}

TEST_CASE("parents that are missing are made, with CPUs and memory nodes") {
  NEEDS_V1();
  const std::string name = "/" + unique_name();
  {
    Container container(name + "/a");
    container.manager->create(no_limits());
    CHECK_FALSE(read_value(container.path("cpuset"), "cpuset.cpus")->empty());
    CHECK_FALSE(read_value(container.path("cpuset"), "cpuset.mems")->empty());
    const Child child(container.manager->open_entrance());
    CHECK(child.entered());
  }
  const Container parent(name);
  CHECK(parent.any_directory());
}

TEST_CASE("limits are the kernel's afterwards, and memory and swap go up and down in any order") {
  NEEDS_V1();
  Container container;
  const std::string memory = container.path("memory");
  const auto set = [&](int64_t limit, int64_t both) {
    configs::Resources resources = no_limits();
    resources.memory = limit;
    resources.memory_swap = both;
    container.manager->create(resources);
    CHECK(read_number(memory, "memory.limit_in_bytes") == limit);
    CHECK(read_number(memory, "memory.memsw.limit_in_bytes") == both);
  };
  set(1 << 24, 1 << 25);
  set(1 << 28, 1 << 29);
  set(1 << 20, 1 << 20);
  set(1 << 26, 1 << 26);

  configs::Resources resources = no_limits();
  resources.pids_limit = 17;
  resources.cpu_shares = 512;
  resources.cpu_quota = 20000;
  resources.cpu_period = 50000;
  resources.cpuset_cpus = "0";
  resources.throttle_read_bps = {{254, 0, 1048576}};
  container.manager->create(resources);
  CHECK(read_number(container.path("pids"), "pids.max") == 17);
  CHECK(read_number(container.path("cpu"), "cpu.shares") == 512);
  CHECK(read_number(container.path("cpu"), "cpu.cfs_quota_us") == 20000);
  CHECK(read_number(container.path("cpu"), "cpu.cfs_period_us") == 50000);
  CHECK(read_value(container.path("cpuset"), "cpuset.cpus") == "0");
  resources.cpu_shares = 1;
  CHECK(field_of([&] { container.manager->create(resources); }) == "/linux/resources/cpu/shares");
}

TEST_CASE("on a hybrid host a limit goes where its controller lives") {
  NEEDS_V1();
  Container container;
  const bool in_v2 = container.layout.mode == Mode::hybrid &&
                     find_hierarchy(container.layout, "hugetlb") == nullptr;
  if (!in_v2) HULL_SKIP("needs hugetlb in the v2 hierarchy of a hybrid host");
  configs::Resources resources = no_limits();
  resources.hugetlb = {{"2MB", 1 << 22}};
  resources.unified["cgroup.max.descendants"] = "5";
  container.manager->create(resources);
  CHECK(read_number(container.path(""), "hugetlb.2MB.max") == 1 << 22);
  CHECK(read_number(container.path(""), "cgroup.max.descendants") == 5);
  resources.unified["memory.high"] = "5";
  CHECK(field_of([&] { container.manager->create(resources); }) ==
        "/linux/resources/unified/memory.high");
}

TEST_CASE("destroy waits for a process that is dying, without the help of its parent") {
  NEEDS_V1();
  Container container;
  container.manager->create(no_limits());
  Child child(container.manager->open_entrance(), 3);
  REQUIRE(child.entered());
  // Stays a zombie: nobody has waited for it yet.
  container.manager->kill(SIGKILL);
  CHECK_NOTHROW(container.manager->destroy());
  CHECK_FALSE(container.any_directory());
}

TEST_CASE("a path of state.json that is no container's cgroup is refused") {
  NEEDS_V1();
  const configs::Cgroup config;
  const auto root = load_manager(config, {{"devices", "/sys/fs/cgroup/devices"}});
  CHECK_THROWS_AS(root->kill(0), Error);
  CHECK_THROWS_AS(root->destroy(), Error);
  const auto climbing =
      load_manager(config, {{"devices", "/sys/fs/cgroup/devices/x/../../devices"}});
  CHECK_THROWS_AS(climbing->kill(0), Error);
  CHECK_THROWS_AS(climbing->destroy(), Error);
  const auto outside = load_manager(config, {{"devices", "/tmp"}});
  CHECK_THROWS_AS(outside->kill(0), Error);
  CHECK_THROWS_AS(outside->destroy(), Error);
  const auto unified = load_manager(config, {{"", "/sys/fs/cgroup/unified"}});
  CHECK_THROWS_AS(unified->destroy(), Error);
  const auto gone = load_manager(config, {{"devices", "/sys/fs/cgroup/devices/no-such-cgroup"}});
  CHECK_NOTHROW(gone->kill(SIGKILL));
  CHECK_NOTHROW(gone->destroy());
  CHECK(gone->processes().empty());
  CHECK_FALSE(gone->frozen());
}

TEST_CASE("a cgroup mount shows the container's directory of each v1 hierarchy") {
  NEEDS_V1();
  const Container container;
  const auto shown = container.manager->controllers();
  const auto systemd = std::ranges::find(shown, "systemd", &Controller::name);
  if (systemd != shown.end()) CHECK(systemd->options == "name=systemd");
  const auto devices = std::ranges::find(shown, "devices", &Controller::name);
  REQUIRE(devices != shown.end());
  CHECK(devices->options == "devices");
  CHECK(devices->host_path == container.path("devices"));
  CHECK(devices->links.empty());
}

TEST_CASE("controllers that are mounted together are shown with links") {
  const Layout layout{Mode::v1, {{"cpu", {"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/"}}};
  configs::Cgroup config;
  config.path = "/x";
  const auto shown = make_manager(config, layout)->controllers();
  REQUIRE(shown.size() == 1);
  CHECK(shown[0].name == "cpu,cpuacct");
  CHECK(shown[0].options == "cpu,cpuacct");
  CHECK(shown[0].links == std::vector<std::string>{"cpu", "cpuacct"});
}

}  // namespace
}  // namespace hull::cgroups

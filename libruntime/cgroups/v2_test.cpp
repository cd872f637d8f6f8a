#include "libruntime/cgroups/v2.h"

#include <linux/bpf.h>
#include <sys/syscall.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/device_program.h"
#include "libruntime/cgroups/subtree_control.h"
#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

// On the v2 hierarchy of this host, wherever that is mounted; what needs other controllers than are
// there is tried on directories that look like one.
namespace hull::cgroups {
namespace {

using test::Child;
using test::exists;
using test::FakeTree;
using test::field_of;
using test::no_limits;
using test::unique_name;

struct V2 {
  V2() : V2("/" + unique_name()) {}
  explicit V2(const std::string& name) {
    const Layout host = read_layout();
    const Hierarchy* v2 = geteuid() == 0 ? find_hierarchy(host, "") : nullptr;
    if (v2 == nullptr) return;
    layout = {Mode::v2, {*v2}};
    dir = v2->mount_point + name;
    configs::Cgroup config;
    config.path = name;
    manager = std::make_unique<V2Manager>(config, std::map<std::string, std::string>{{"", dir}},
                                          Mounts(layout));
  }
  ~V2() {
    if (!manager) return;
    try {
      manager->kill(SIGKILL);
      manager->destroy();
    } catch (const Error& e) {
      std::fprintf(stderr, "left behind: %s\n", e.what());
    }
  }
  Layout layout;
  std::string dir;
  std::unique_ptr<V2Manager> manager;
};

#define NEEDS_V2(container) \
  if (!(container).manager) HULL_SKIP("needs root and a cgroup v2 mount")

TEST_CASE(
    "v2: a process is born in the cgroup, is killed with all its children, and nothing stays") {
  V2 container;
  NEEDS_V2(container);
  container.manager->create(no_limits());
  Child child(container.manager->open_entrance(), 4);
  REQUIRE(child.entered());
  CHECK(container.manager->processes().size() == 5);
  CHECK(container.manager->controllers().empty());
  container.manager->kill(SIGKILL);
  container.manager->destroy();
  CHECK_FALSE(exists(container.dir));
  CHECK(child.killed_by() == SIGKILL);
}

TEST_CASE("v2: a cgroup with an owner belongs to it") {
  V2 container;
  NEEDS_V2(container);
  configs::Cgroup config;
  config.owner_uid = 1234;
  V2Manager manager(config, container.manager->paths(), Mounts(container.layout));
  manager.create(no_limits());
  const auto owner = [&](const std::string& name) {
    struct stat info {};
    REQUIRE(stat((container.dir + name).c_str(), &info) == 0);
    return info.st_uid;
  };
  CHECK(owner("") == 1234);
  CHECK(owner("/cgroup.procs") == 1234);
  CHECK(owner("/cgroup.subtree_control") == 1234);
  CHECK(owner("/cgroup.max.depth") == 0);
}

TEST_CASE("v2: sub-cgroups are seen, frozen, killed and removed", "[L60]") {
  V2 container;
  NEEDS_V2(container);
  container.manager->create(no_limits());
  REQUIRE(mkdir((container.dir + "/a").c_str(), 0755) == 0);
  REQUIRE(mkdir((container.dir + "/a/b").c_str(), 0755) == 0);
  Entrance below;
  below.unified = open_or_throw(AT_FDCWD, container.dir + "/a/b", O_PATH | O_DIRECTORY);
  const Child child(below);
  CHECK(container.manager->processes() == std::vector<pid_t>{child.pid()});
  container.manager->freeze(true);
  CHECK(container.manager->frozen());
  CHECK(has_line(*read_value(container.dir + "/a/b", "cgroup.events"), "frozen 1"));
  container.manager->freeze(false);
  CHECK_FALSE(container.manager->frozen());
  container.manager->freeze(true);
  container.manager->kill(SIGKILL);
  container.manager->destroy();
  CHECK_FALSE(exists(container.dir));
}

TEST_CASE("v2: a cgroup that is used or frozen is refused") {
  V2 container;
  NEEDS_V2(container);
  container.manager->create(no_limits());
  {
    const Child child(container.manager->open_entrance());
    CHECK(field_of([&] { container.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  }
  container.manager->freeze(true);
  CHECK(field_of([&] { container.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  V2 below(container.dir.substr(container.layout.hierarchies[0].mount_point.size()) + "/below");
  CHECK(field_of([&] { below.manager->create(no_limits()); }) == "/linux/cgroupsPath");
  CHECK_FALSE(exists(below.dir));
}

bool can_open(const Entrance& entrance, const char* path, int flags) {
  clone_args args{};
  args.exit_signal = SIGCHLD;
  args.flags = CLONE_INTO_CGROUP;
  args.cgroup = static_cast<uint64_t>(entrance.unified.get());
  const pid_t pid = sys::clone3(&args);
  if (pid == 0) _exit(open(path, flags) >= 0 ? 0 : 1);
  int status = 1;
  waitpid(pid, &status, 0);
  return status == 0;
}

TEST_CASE("v2: the device filter is attached, and replaced by the next one") {
  V2 container;
  NEEDS_V2(container);
  configs::Resources resources;
  resources.devices = {{'a', -1, -1, "rwm", false},
                       {'c', 1, 3, "rw", true},
                       {'c', 1, 5, "r", true},
                       {'c', 1, 8, "w", false}};
  container.manager->create(resources);
  const Entrance entrance = container.manager->open_entrance();
  CHECK(can_open(entrance, "/dev/null", O_RDWR));
  CHECK(can_open(entrance, "/dev/zero", O_RDONLY));
  CHECK_FALSE(can_open(entrance, "/dev/zero", O_RDWR));
  CHECK_FALSE(can_open(entrance, "/dev/urandom", O_RDONLY));
  // A hole in a wider rule, which v1 can't express.
  resources.devices = {
      {'a', -1, -1, "rwm", false}, {'c', 1, -1, "rw", true}, {'c', 1, 3, "w", false}};
  container.manager->create(resources);
  CHECK_FALSE(can_open(entrance, "/dev/null", O_RDWR));
  CHECK(can_open(entrance, "/dev/null", O_RDONLY));
  CHECK(can_open(entrance, "/dev/urandom", O_RDONLY));
  container.manager->create(no_limits());
  CHECK(can_open(entrance, "/dev/null", O_RDWR));
}

// The ids of the device programs on this very cgroup.
std::vector<uint32_t> device_programs(const std::string& dir) {
  const Fd cgroup = open_or_throw(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  std::vector<uint32_t> ids(16);
  union {
    bpf_attr bpf;
    unsigned char room[512];
  } attributes;
  std::memset(&attributes, 0, sizeof attributes);
  attributes.bpf.query.target_fd = static_cast<uint32_t>(cgroup.get());
  attributes.bpf.query.attach_type = BPF_CGROUP_DEVICE;
  attributes.bpf.query.prog_ids = reinterpret_cast<uintptr_t>(ids.data());
  attributes.bpf.query.prog_cnt = static_cast<uint32_t>(ids.size());
  if (syscall(SYS_bpf, BPF_PROG_QUERY, &attributes, sizeof attributes) != 0) ids.clear();
  if (!ids.empty()) ids.resize(attributes.bpf.query.prog_cnt);
  return ids;
}

TEST_CASE(
    "v2: one device program a cgroup, another one after each change, none that denies nothing") {
  V2 container;
  NEEDS_V2(container);
  container.manager->create(no_limits());
  CHECK(device_programs(container.dir).empty());
  configs::Resources resources;
  resources.devices = {{'c', 1, 3, "rw", true}};
  container.manager->create(resources);
  const auto first = device_programs(container.dir);
  CHECK(first.size() == 1);
  resources.devices.push_back({'c', 1, 5, "rw", true});
  container.manager->create(resources);
  const auto second = device_programs(container.dir);
  CHECK(second.size() == 1);
  CHECK(second != first);
  container.manager->create(no_limits());
  CHECK(device_programs(container.dir).empty());
}

TEST_CASE("v2: the kernel's verifier takes the programs of random rules") {
  V2 container;
  NEEDS_V2(container);
  container.manager->create(no_limits());
  std::mt19937 random(5403);
  for (int round = 0; round < 200; ++round) {
    std::vector<configs::DeviceRule> rules(random() % 20 + 1);
    for (configs::DeviceRule& rule : rules) {
      rule = {"abc"[random() % 3], static_cast<int64_t>(random() % 4) - 1,
              static_cast<int64_t>(random() % 300) - 1, "rwm", random() % 2 == 0};
      if (random() % 2 == 0) rule.permissions.resize(random() % 3 + 1);
    }
    INFO(round);
    CHECK_NOTHROW(set_v2_devices(container.dir, rules, false));
  }
  CHECK(device_programs(container.dir).size() <= 1);
}

bool has_controllers(const V2& container, std::initializer_list<const char*> names) {
  const auto words = read_words(container.layout.hierarchies[0].mount_point, "cgroup.controllers");
  return std::ranges::all_of(names,
                             [&](const char* one) { return std::ranges::count(words, one) > 0; });
}

TEST_CASE("v2: limits are the kernel's afterwards, with all controllers enabled along the path") {
  const std::string name = "/" + unique_name();
  const V2 parent(name);  // removes what create makes on the way
  V2 container(name + "/a/b");
  NEEDS_V2(container);
  if (!has_controllers(container, {"memory", "pids", "cpu", "io"}))
    HULL_SKIP("needs the memory, pids, cpu and io controllers in v2");
  configs::Resources resources = no_limits();
  resources.memory = 1 << 26;
  resources.memory_reservation = 1 << 25;
  resources.pids_limit = 0;
  resources.cpu_shares = 1024;
  resources.cpu_quota = 20000;
  resources.cpu_period = 50000;
  resources.cpu_burst = 1000;
  resources.unified["memory.high"] = "60000000";
  resources.unified["memory.oom.group"] = "1";
  container.manager->create(resources);
  CHECK(read_number(container.dir, "memory.max") == 1 << 26);
  CHECK(read_number(container.dir, "memory.low") == 1 << 25);
  CHECK(read_number(container.dir, "memory.high") == 60000000 / 4096 * 4096);
  CHECK(read_number(container.dir, "memory.oom.group") == 1);
  CHECK(read_number(container.dir, "cpu.weight") == 100);
  CHECK(read_value(container.dir, "cpu.max") == "20000 50000");
  CHECK(read_number(container.dir, "cpu.max.burst") == 1000);
  const Child child(container.manager->open_entrance());
  CHECK(child.entered());
  CHECK(read_words(container.dir, "cgroup.controllers") ==
        read_words(container.layout.hierarchies[0].mount_point, "cgroup.controllers"));
}

TEST_CASE("v2: a threaded parent takes the container, but no limit on memory") {
  const std::string name = "/" + unique_name();
  V2 parent(name);
  NEEDS_V2(parent);
  parent.manager->create(no_limits());
  REQUIRE(mkdir((parent.dir + "/t").c_str(), 0755) == 0);
  if (try_write(parent.dir + "/t", "cgroup.type", "threaded") != 0)
    HULL_SKIP("the kernel makes no threaded cgroup here");
  V2 below(name + "/t/c");
  if (!has_controllers(below, {"memory", "pids"})) HULL_SKIP("needs memory and pids in v2");
  configs::Resources resources = no_limits();
  resources.memory = 1 << 26;
  CHECK(field_of([&] { below.manager->create(resources); }) == "/linux/resources/memory");
  CHECK_NOTHROW(below.manager->create(no_limits()));
  CHECK(read_value(below.dir, "cgroup.type") == "threaded");
  below.manager->destroy();
}

TEST_CASE("v2: create that fails leaves nothing, not even parents") {
  V2 container("/" + unique_name() + "/a");
  NEEDS_V2(container);
  configs::Resources resources = no_limits();
  resources.unified["nonesuch.max"] = "1";
  CHECK(field_of([&] { container.manager->create(resources); }) ==
        "/linux/resources/unified/nonesuch.max");
  CHECK_FALSE(exists(container.dir.substr(0, container.dir.size() - 2)));
}

TEST_CASE("controllers are enabled along the path, one by one when all at once is refused") {
  FakeTree tree;
  tree.directory("a");
  tree.directory("a/c");
  tree.file("cgroup.controllers", "cpu memory pids\n");
  tree.file("cgroup.subtree_control");
  tree.file("a/cgroup.controllers", "cpu memory pids\n");
  tree.file("a/cgroup.subtree_control", "");
  tree.file("a/c/cgroup.controllers", "");
  enable_controllers(tree.root(), tree.root() + "/a/c", Enable::all, {});
  CHECK(tree.read("cgroup.subtree_control") == "+cpu +memory +pids");
  CHECK(tree.read("a/cgroup.subtree_control") == "+cpu +memory +pids");
}

TEST_CASE("a needed controller that stops on the way is an error that says where") {
  FakeTree tree;
  tree.directory("a");
  tree.directory("a/c");
  tree.file("cgroup.controllers", "cpu memory\n");
  tree.file("cgroup.subtree_control", "cpu\n");
  tree.file("a/cgroup.controllers", "cpu\n");
  tree.file("a/cgroup.subtree_control", "cpu\n");
  tree.file("a/c/cgroup.controllers", "cpu\n");
  const std::string dir = tree.root() + "/a/c";
  try {
    enable_controllers(tree.root(), dir, Enable::needed,
                       {{"memory", "/linux/resources/memory", false}});
    FAIL("no error");
  } catch (const Error& e) {
    CHECK(e.field() == "/linux/resources/memory");
    CHECK(e.message().find("/a/cgroup.controllers") != std::string::npos);
  }
  CHECK(field_of([&] {
          enable_controllers(tree.root(), dir, Enable::all,
                             {{"rdma", "/linux/resources/rdma", false}});
        }) == "/linux/resources/rdma");
}

TEST_CASE("a controller of whole processes is refused among threads") {
  FakeTree tree;
  tree.directory("c");
  tree.file("cgroup.controllers", "cpu memory\n");
  tree.file("cgroup.subtree_control", "cpu\n");
  tree.file("c/cgroup.controllers", "cpu\n");
  tree.file("c/cgroup.type", "threaded\n");
  CHECK(field_of([&] {
          enable_controllers(tree.root(), tree.root() + "/c", Enable::all,
                             {{"memory", "/linux/resources/memory", false}});
        }) == "/linux/resources/memory");
  CHECK_NOTHROW(enable_controllers(tree.root(), tree.root() + "/c", Enable::all,
                                   {{"cpu", "/linux/resources/cpu", true}}));
}

}  // namespace
}  // namespace hull::cgroups

#include "libruntime/cgroups/oom.h"

#include <poll.h>
#include <sys/mman.h>

#include <cstring>
#include <functional>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/pressure_watch.h"
#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

// With the memory controller of this host, whichever version that is.
namespace hull::cgroups {
namespace {

using test::Container;
using test::FakeTree;

constexpr int64_t kMiB = 1 << 20;

bool has_memory() {
  const Layout layout = read_layout();
  if (geteuid() != 0) return false;
  if (find_hierarchy(layout, "memory") != nullptr) return true;
  const Hierarchy* v2 = find_hierarchy(layout, "");
  if (v2 == nullptr) return false;
  const auto words = read_words(v2->mount_point, "cgroup.controllers");
  return std::find(words.begin(), words.end(), "memory") != words.end();
}

// A container's cgroup with room for 8 MiB.
struct Small : Container {
  Small() {
    configs::Resources resources = test::no_limits();
    resources.memory = 8 * kMiB;
    manager->create(resources);
  }
  [[nodiscard]] std::string memory() const {
    const auto v1 = manager->paths().find("memory");
    return v1 != manager->paths().end() ? v1->second : manager->paths().at("");
  }
};

// A child that works in the memory cgroup `dir`: its wait status.
int run_inside(const std::string& dir, const std::function<void()>& work) {
  const pid_t pid = fork();
  if (pid == 0) {
    if (try_write(dir, "cgroup.procs", "0") != 0) _exit(9);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(pid, &status, 0);
  return status;
}

void touch(int64_t bytes) {
  void* memory = mmap(nullptr, static_cast<size_t>(bytes), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) _exit(8);
  std::memset(memory, 1, static_cast<size_t>(bytes));
}

bool killed(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }

bool ready(int fd, short events, int milliseconds) {
  pollfd one{fd, events, 0};
  return poll(&one, 1, milliseconds) == 1 && (one.revents & events) != 0;
}

uint64_t all_kills(OomWatch& watch) {
  uint64_t kills = 0;
  while (ready(watch.fd(), POLLIN, kills == 0 ? 2000 : 100)) kills += watch.take();
  return kills;
}

TEST_CASE("each kill for lack of memory is told once", "[L84][L22]") {
  if (!has_memory()) HULL_SKIP("needs root and a memory controller");
  const Small container;
  OomWatch watch(container.manager->paths());
  CHECK_FALSE(ready(watch.fd(), POLLIN, 0));
  for (int round = 1; round <= 3; ++round) {
    REQUIRE(killed(run_inside(container.memory(), [] { touch(32 * kMiB); })));
    CHECK(all_kills(watch) == 1);
  }
  CHECK(watch.take() == 0);
}

TEST_CASE("kills in a sub-cgroup count, and those before the watch do not") {
  if (!has_memory()) HULL_SKIP("needs root and a memory controller");
  const Small container;
  REQUIRE(killed(run_inside(container.memory(), [] { touch(32 * kMiB); })));
  OomWatch watch(container.manager->paths());
  const std::string below = container.memory() + "/below";
  REQUIRE(mkdir(below.c_str(), 0755) == 0);
  REQUIRE(killed(run_inside(below, [] { touch(32 * kMiB); })));
  CHECK(all_kills(watch) == 1);
}

TEST_CASE("a full memory cgroup in which nobody is killed is no event") {
  if (!has_memory()) HULL_SKIP("needs root and a memory controller");
  const Small container;
  OomWatch watch(container.manager->paths());
  // The page cache of a file is reclaimed instead.
  CHECK(run_inside(container.memory(), [] { touch(6 * kMiB); }) == 0);
  uint64_t kills = 0;
  while (ready(watch.fd(), POLLIN, 50)) kills += watch.take();
  CHECK(kills == 0);
}

TEST_CASE("v1: with the OOM killer switched off the lack of memory itself is the event") {
  if (!has_memory()) HULL_SKIP("needs root and a memory controller");
  const Small container;
  if (try_write(container.memory(), "memory.oom_control", "1") != 0)
    HULL_SKIP("cgroup v2 has no such switch");
  OomWatch watch(container.manager->paths());
  const pid_t pid = fork();
  if (pid == 0) {
    if (try_write(container.memory(), "cgroup.procs", "0") != 0) _exit(9);
    touch(32 * kMiB);
    _exit(0);
  }
  CHECK(ready(watch.fd(), POLLIN, 5000));
  CHECK(watch.take() == 1);
  kill(pid, SIGKILL);
  int status = 0;
  waitpid(pid, &status, 0);
  CHECK(killed(status));
}

TEST_CASE("v2's memory.events is read for its count of kills") {
  FakeTree tree;
  tree.file("memory.events", "max 1\noom 1\noom_kill 1\n");
  OomWatch watch(std::map<std::string, std::string>{{"", tree.root()}});
  CHECK(watch.take() == 0);
  std::ofstream(tree.root() + "/memory.events") << "max 9\noom 1\noom_kill 1\n";
  CHECK(ready(watch.fd(), POLLIN, 1000));
  CHECK(watch.take() == 0);
  std::ofstream(tree.root() + "/memory.events") << "max 9\noom 3\noom_kill 3\n";
  CHECK(ready(watch.fd(), POLLIN, 1000));
  CHECK(watch.take() == 2);
  CHECK_FALSE(ready(watch.fd(), POLLIN, 0));
}

TEST_CASE("a container without a memory cgroup can't be watched") {
  const std::map<std::string, std::string> paths{{"pids", "/tmp"}};
  CHECK_THROWS_AS(OomWatch(paths), Error);
  CHECK_THROWS_AS(PressureWatch(paths, PressureLevel::low), Error);
}

TEST_CASE("memory pressure is told", "[L84][L23]") {
  if (!has_memory()) HULL_SKIP("needs root and a memory controller");
  const Small container;
  const PressureWatch watch(container.manager->paths(), PressureLevel::low);
  CHECK_FALSE(ready(watch.fd(), watch.events(), 0));
  // More of a file than there is room for: its pages are reclaimed all the time.
  const int status = run_inside(container.memory(), [] {
    // Once: AddressSanitizer keeps what is freed, and the limit would be reached.
    const std::string block(1 << 20, 'x');
    for (int round = 0; round < 40; ++round) {
      const int fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
      for (int i = 0; i < 64; ++i)
        if (write(fd, block.data(), block.size()) < 0) _exit(7);
      for (int i = 0; i < 64; ++i)
        if (pread(fd, const_cast<char*>(block.data()), block.size(), i * kMiB) < 0) _exit(7);
      close(fd);
      pollfd none{-1, 0, 0};
      poll(&none, 1, 0);
    }
  });
  CHECK(status == 0);
  CHECK(ready(watch.fd(), watch.events(), 3000));
  watch.clear();
  CHECK_FALSE(ready(watch.fd(), POLLERR, 0));
}

TEST_CASE("v2: a pressure trigger is set on the container's own account") {
  const Layout layout = read_layout();
  const Hierarchy* v2 = geteuid() == 0 ? find_hierarchy(layout, "") : nullptr;
  if (v2 == nullptr) HULL_SKIP("needs root and a cgroup v2 mount");
  const std::string dir = v2->mount_point + "/" + test::unique_name();
  REQUIRE(mkdir(dir.c_str(), 0755) == 0);
  if (!test::exists(dir + "/memory.pressure")) {
    rmdir(dir.c_str());
    HULL_SKIP("the kernel has no PSI");
  }
  {
    for (const PressureLevel level :
         {PressureLevel::low, PressureLevel::medium, PressureLevel::critical}) {
      const PressureWatch watch({{"", dir}}, level);
      CHECK(watch.events() == POLLPRI);
      CHECK_FALSE(ready(watch.fd(), watch.events(), 0));
    }
  }
  CHECK(rmdir(dir.c_str()) == 0);
}

}  // namespace
}  // namespace hull::cgroups

#include "libruntime/cgroups/limit_files.h"

#include "libruntime/cgroups/limits.h"
#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using test::FakeTree;

TEST_CASE("what is written to take a limit back is the line that was there") {
  CHECK(former_line("memory.max", "max\n", "1000") == "max");
  CHECK(former_line("cpu.max", "max 100000\n", "5000") == "max 100000");
  CHECK(former_line("cpuset.cpus", "\n", "0") == "\n");
  CHECK(former_line("io.weight", "default 100\n8:0 50\n", "200") == "100");
  CHECK(former_line("io.weight", "default 100\n8:0 50\n", "8:0 70") == "8:0 50");
  CHECK(former_line("io.weight", "default 100\n", "8:0 70") == "8:0 default");
  CHECK(former_line("io.max", "8:16 rbps=1 wbps=max riops=max wiops=max\n", "8:16 wiops=5") ==
        "8:16 rbps=1 wbps=max riops=max wiops=max");
  CHECK(former_line("io.max", "", "8:0 rbps=1") == "8:0 rbps=max wbps=max riops=max wiops=max");
  CHECK(former_line("blkio.throttle.read_bps_device", "8:16 7\n", "8:0 9") == "8:0 0");
  CHECK(former_line("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\n", "1") == "0");
  CHECK(former_line("net_prio.ifpriomap", "lo 0\neth0 3\n", "eth0 5") == "eth0 3");
  CHECK(former_line("net_prio.ifpriomap", "lo 0\neth0 3\n", "eth1 5").empty());
}

TEST_CASE("a limit that is refused takes those before it back, also ones that were not set") {
  FakeTree tree;
  tree.file("memory.max", "max");
  tree.file("memory.low", "400");
  tree.file("cpu.max", "20000 50000");
  Resources r;
  r.memory = 100;
  r.memory_reservation = 500;
  r.cpu_quota = 70000;
  r.pids_limit = 5;  // there is no such file
  CHECK(test::field_of([&] {
          FormerLimits::guard([&](FormerLimits& former) {
            set_v2_limits(tree.root(), {"memory", "cpu", "pids"}, r, &former);
          });
        }) == "/linux/resources/pids/limit");
  CHECK(tree.read("memory.max") == "max");
  CHECK(tree.read("memory.low") == "400");
  CHECK(tree.read("cpu.max") == "20000 50000");
}

}  // namespace
}  // namespace hull::cgroups

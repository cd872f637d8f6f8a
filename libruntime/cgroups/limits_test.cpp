#include "libruntime/cgroups/limits.h"

#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using test::FakeTree;
using test::field_of;

const std::vector<std::string>& all_controllers() {
  static const std::vector<std::string> names{"cpuset", "cpu",     "io",   "memory",
                                              "pids",   "hugetlb", "rdma", "misc"};
  return names;
}

void set_v2(const FakeTree& tree, const Resources& resources) {
  set_v2_limits(tree.root(), all_controllers(), resources);
}

void set_v1(const FakeTree& tree, const Resources& resources) {
  std::map<std::string, std::string> paths;
  for (const char* name :
       {"memory", "cpu", "cpuset", "pids", "blkio", "hugetlb", "net_cls", "rdma"})
    paths[name] = tree.root();
  set_v1_limits(paths, resources);
}

TEST_CASE("cpu shares become a weight by way of three fixed points") {
  CHECK(weight_of_shares(0) == 0);
  CHECK(weight_of_shares(2) == 1);
  CHECK(weight_of_shares(1) == 1);
  CHECK(weight_of_shares(1024) == 100);
  CHECK(weight_of_shares(262144) == 10000);
  CHECK(weight_of_shares(1000000) == 10000);
  CHECK(weight_of_shares(2048) > 100);
}

TEST_CASE("block I/O weights are scaled linearly") {
  CHECK(io_weight(10) == 1);
  CHECK(io_weight(1000) == 10000);
  CHECK(io_weight(500) == 4950);
}

TEST_CASE("v2's swap limit is what the common limit leaves") {
  CHECK(swap_max(100, 300) == "200");
  CHECK(swap_max(100, 100) == "0");
  CHECK(swap_max(100, -1) == "max");
  CHECK(swap_max(100, 0).empty());
  CHECK(swap_max(-1, 0) == "max");
  CHECK(swap_max(-1, 300) == "300");
  CHECK(swap_max(0, 0).empty());
  CHECK(field_of([] { swap_max(300, 100); }) == "/linux/resources/memory/swap");
  CHECK(field_of([] { swap_max(0, 100); }) == "/linux/resources/memory/swap");
}

TEST_CASE("v2 limits land in v2's files in v2's units", "[L62]") {
  FakeTree tree;
  for (const char* name : {"memory.max", "memory.low", "memory.swap.max", "cpu.weight", "cpu.max",
                           "cpu.max.burst", "cpuset.cpus", "cpuset.mems", "pids.max", "io.weight",
                           "hugetlb.2MB.max", "hugetlb.2MB.rsvd.max", "rdma.max"})
    tree.file(name);
  Resources r;
  r.memory = 1000;
  r.memory_swap = 1500;
  r.memory_reservation = 900;
  r.cpu_shares = 1024;
  r.cpu_quota = 5000;
  r.cpu_burst = 100;
  r.cpuset_cpus = "0-1";
  r.cpuset_mems = "0";
  r.pids_limit = -1;
  r.blkio_weight = 1000;
  r.hugetlb = {{"2MB", 4194304}};
  r.rdma["mlx5_0"] = {2, std::nullopt};
  set_v2(tree, r);
  CHECK(tree.read("memory.max") == "1000");
  CHECK(tree.read("memory.swap.max") == "500");
  CHECK(tree.read("memory.low") == "900");
  CHECK(tree.read("cpu.weight") == "100");
  CHECK(tree.read("cpu.max") == "5000");
  CHECK(tree.read("cpu.max.burst") == "100");
  CHECK(tree.read("cpuset.cpus") == "0-1");
  CHECK(tree.read("cpuset.mems") == "0");
  CHECK(tree.read("pids.max") == "max");
  CHECK(tree.read("io.weight") == "10000");
  CHECK(tree.read("hugetlb.2MB.max") == "4194304");
  CHECK(tree.read("hugetlb.2MB.rsvd.max") == "4194304");
  CHECK(tree.read("rdma.max") == "mlx5_0 hca_handle=2");
}

TEST_CASE("a v2 throttle is one key of io.max, and no rate is no limit") {
  FakeTree tree;
  tree.file("io.max");
  Resources r;
  r.throttle_write_iops = {{8, 16, 50}};
  set_v2(tree, r);
  CHECK(tree.read("io.max") == "8:16 wiops=50");
}

TEST_CASE("the BFQ scheduler's weights are v1's own and are preferred") {
  FakeTree tree;
  tree.file("io.bfq.weight");
  tree.file("io.weight");
  Resources r;
  r.blkio_weight = 500;
  set_v2(tree, r);
  CHECK(tree.read("io.bfq.weight") == "500");
  CHECK(tree.read("io.weight").empty());
}

TEST_CASE("a v2 cgroup with a pids limit of 0 still takes its first process") {
  FakeTree tree;
  tree.file("pids.max");
  Resources r;
  r.pids_limit = 0;
  set_v2(tree, r);
  CHECK(tree.read("pids.max") == "1");
}

TEST_CASE("an idle cgroup gets no weight") {
  FakeTree tree;
  tree.file("cpu.idle");
  tree.file("cpu.weight");
  Resources r;
  r.cpu_idle = 1;
  r.cpu_shares = 512;
  set_v2(tree, r);
  CHECK(tree.read("cpu.idle") == "1");
  CHECK(tree.read("cpu.weight").empty());
}

TEST_CASE("what v2 can't do is an error that names the field") {
  FakeTree tree;
  const auto field = [&](auto change) {
    Resources r;
    change(r);
    return field_of([&] { set_v2(tree, r); });
  };
  CHECK(field([](Resources& r) { r.memory_swappiness = 10; }) ==
        "/linux/resources/memory/swappiness");
  CHECK(field([](Resources& r) { r.oom_kill_disable = true; }) ==
        "/linux/resources/memory/disableOOMKiller");
  CHECK(field([](Resources& r) { r.cpu_rt_runtime = 1; }) ==
        "/linux/resources/cpu/realtimeRuntime");
  CHECK(field([](Resources& r) { r.cpu_rt_period = 1; }) == "/linux/resources/cpu/realtimePeriod");
  CHECK(field([](Resources& r) { r.blkio_leaf_weight = 10; }) ==
        "/linux/resources/blockIO/leafWeight");
  CHECK(field([](Resources& r) { r.net_cls_classid = 1; }) == "/linux/resources/network/classID");
  CHECK(field([](Resources& r) {
          r.net_prio = {{"eth0", 1}};
        }) == "/linux/resources/network/priorities");
}

TEST_CASE("swap that the kernel does not account need not be forbidden, but can't be limited") {
  FakeTree tree;
  tree.file("memory.max");
  Resources r;
  r.memory = 1000;
  r.memory_swap = 1000;
  CHECK_NOTHROW(set_v2(tree, r));
  r.memory_swap = 2000;
  CHECK(field_of([&] { set_v2(tree, r); }) == "/linux/resources/memory/swap");
}

TEST_CASE("a limit below the usage is refused when the config asks to look first") {
  FakeTree tree;
  tree.file("memory.current", "5000\n");
  tree.file("memory.usage_in_bytes", "5000\n");
  tree.file("memory.max");
  tree.file("memory.limit_in_bytes");
  Resources r;
  r.memory = 4000;
  r.memory_check_before_update = true;
  CHECK(field_of([&] { set_v2(tree, r); }) == "/linux/resources/memory/limit");
  CHECK(field_of([&] { set_v1(tree, r); }) == "/linux/resources/memory/limit");
  r.memory_check_before_update = false;
  CHECK_NOTHROW(set_v2(tree, r));
  CHECK_NOTHROW(set_v1(tree, r));
}

TEST_CASE("unified resources are written as they are, and their keys checked") {
  FakeTree tree;
  tree.file("memory.high");
  tree.file("misc.max");
  const auto set = [&](const std::string& file, const std::string& value) {
    Resources r;
    r.unified[file] = value;
    return field_of([&] { set_v2(tree, r); });
  };
  CHECK(set("memory.high", "12345") == "no error");
  CHECK(tree.read("memory.high") == "12345");
  CHECK(set("misc.max", "res_a 1\nres_b 2\n") == "no error");
  CHECK(tree.read("misc.max") == "res_b 2");
  CHECK(set("../memory.high", "1") == "/linux/resources/unified/../memory.high");
  CHECK(set("memory", "1") == "/linux/resources/unified/memory");
  CHECK(set("perf_event.x", "1") == "/linux/resources/unified/perf_event.x");
  CHECK(set("memory.nonesuch", "1") == "/linux/resources/unified/memory.nonesuch");
}

TEST_CASE("v1 limits land in v1's files", "[L61]") {
  FakeTree tree;
  for (const char* name :
       {"memory.soft_limit_in_bytes", "memory.swappiness", "memory.oom_control",
        "cpu.cfs_period_us", "cpu.cfs_quota_us", "cpu.cfs_burst_us", "cpu.rt_period_us",
        "cpu.rt_runtime_us", "cpuset.cpus", "pids.max", "blkio.weight", "blkio.leaf_weight",
        "blkio.weight_device", "blkio.throttle.read_bps_device", "hugetlb.1GB.limit_in_bytes",
        "net_cls.classid"})
    tree.file(name);
  Resources r;
  r.memory_reservation = 900;
  r.memory_swappiness = 7;
  r.oom_kill_disable = true;
  r.cpu_period = 50000;
  r.cpu_quota = 25000;
  r.cpu_burst = 10;
  r.cpu_rt_period = 1000;
  r.cpu_rt_runtime = 500;
  r.cpuset_cpus = "0";
  r.pids_limit = 0;
  r.blkio_weight = 300;
  r.blkio_leaf_weight = 200;
  r.blkio_weight_device = {{8, 0, 400, 0}};
  r.throttle_read_bps = {{8, 0, 1024}};
  r.hugetlb = {{"1GB", 0}};
  r.net_cls_classid = 0x100001;
  set_v1(tree, r);
  CHECK(tree.read("memory.soft_limit_in_bytes") == "900");
  CHECK(tree.read("memory.swappiness") == "7");
  CHECK(tree.read("memory.oom_control") == "1");
  CHECK(tree.read("cpu.cfs_period_us") == "50000");
  CHECK(tree.read("cpu.cfs_quota_us") == "25000");
  CHECK(tree.read("cpu.cfs_burst_us") == "10");
  CHECK(tree.read("cpu.rt_period_us") == "1000");
  CHECK(tree.read("cpu.rt_runtime_us") == "500");
  CHECK(tree.read("cpuset.cpus") == "0");
  CHECK(tree.read("pids.max") == "0");
  CHECK(tree.read("blkio.weight") == "300");
  CHECK(tree.read("blkio.leaf_weight") == "200");
  CHECK(tree.read("blkio.weight_device") == "8:0 400");
  CHECK(tree.read("blkio.throttle.read_bps_device") == "8:0 1024");
  CHECK(tree.read("hugetlb.1GB.limit_in_bytes") == "0");
  CHECK(tree.read("net_cls.classid") == "1048577");
}

TEST_CASE("a limit of a controller that is not mounted is an error with its field") {
  Resources r;
  r.net_prio = {{"eth0", 1}};
  FakeTree tree;
  CHECK(field_of([&] { set_v1(tree, r); }) == "/linux/resources/network/priorities");
  r = {};
  r.memory = 1;
  CHECK(field_of([&] { set_v1_limits({}, r); }) == "/linux/resources/memory");
}

TEST_CASE("a v1 limit whose file the kernel lacks is an error with its field") {
  FakeTree tree;
  Resources r;
  r.cpu_burst = 1;
  CHECK(field_of([&] { set_v1(tree, r); }) == "/linux/resources/cpu/burst");
}

}  // namespace
}  // namespace hull::cgroups

#include "libruntime/cgroups/stats.h"

#include <nlohmann/json.hpp>

#include "libruntime/cgroups/stat_files.h"
#include "libruntime/cgroups/test_cgroups.h"
#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using test::FakeTree;

TEST_CASE("the files of statistics are parsed") {
  CHECK(parse_list("0-2,7\n") == std::vector<unsigned>{0, 1, 2, 7});
  CHECK(parse_list("4000-4001") == std::vector<unsigned>{4000, 4001});
  CHECK(parse_list("\n").empty());
  CHECK(parse_list("0-4294967295").empty());
  CHECK(parse_numbers("1 22 \n") == std::vector<uint64_t>{1, 22});
  CHECK(parse_flat("a 1\nbad\nb 18446744073709551615\n") ==
        std::map<std::string, uint64_t>{{"a", 1}, {"b", UINT64_MAX}});
  const auto block = parse_block_lines("8:0 Read 5\n8:0 Total 9\n253:1 77\nTotal 9\n");
  REQUIRE(block.size() == 3);
  CHECK(block[0].op == "Read");
  CHECK(block[2].major == 253);
  CHECK(block[2].op.empty());
  CHECK(block[2].value == 77);
  const auto pressure = parse_pressure(
      "some avg10=1.50 avg60=0.25 avg300=0.00 total=7\nfull avg10=0.01 avg60=0 avg300=0 total=3\n");
  REQUIRE(pressure);
  CHECK(pressure->some.avg10 == 1.5);
  CHECK(pressure->some.total == 7);
  CHECK(pressure->full.avg10 == 0.01);
  CHECK_FALSE(parse_pressure(""));
  const auto rdma = parse_rdma("mlx5_0 hca_handle=2 hca_object=max\n");
  REQUIRE(rdma.size() == 1);
  CHECK(rdma[0].hca_handles == 2);
  CHECK(rdma[0].hca_objects == UINT32_MAX);
  CHECK(page_sizes({"hugetlb.2MB.current", "hugetlb.2MB.rsvd.current", "hugetlb.1GB.current",
                    "memory.current"},
                   "current") == std::vector<std::string>{"2MB", "1GB"});
}

TEST_CASE("a cgroup that is gone has used nothing") {
  CHECK(stats_json(read_stats({{"memory", "/sys/fs/cgroup/nonesuch"}, {"", "/nonesuch"}})) ==
        stats_json({}));
}

TEST_CASE("statistics without any value have the keys that runc writes all the same") {
  CHECK(stats_json({}) ==
        R"({"cpu":{"usage":{"kernel":0,"user":0},"throttling":{}},)"
        R"("cpuset":{"cpu_exclusive":0,"mem_hardwall":0,"mem_exclusive":0,"memory_migrate":0,)"
        R"("memory_spread_page":0,"memory_spread_slab":0,"memory_pressure":0,)"
        R"("sched_load_balance":0,"sched_relax_domain_level":0},)"
        R"("memory":{"usage":{"limit":0,"failcnt":0},"swap":{"limit":0,"failcnt":0},)"
        R"("kernel":{"limit":0,"failcnt":0},"kernelTCP":{"limit":0,"failcnt":0}},)"
        R"("pids":{},"blkio":{},"hugetlb":{},"intel_rdt":{},"network_interfaces":null})");
}

TEST_CASE("v1 statistics in runc's form", "[L66]") {
  FakeTree tree;
  tree.file("cpu.stat",
            "nr_periods 3\nnr_throttled 2\nthrottled_time 900\nnr_bursts 1\n"
            "burst_time 50\n");
  tree.file("cpuacct.usage", "5000\n");
  tree.file("cpuacct.stat", "user 2\nsystem 1\n");
  tree.file("cpuacct.usage_percpu", "3000 2000 \n");
  tree.file("cpuacct.usage_all", "cpu user system\n0 2500 500\n1 1000 1000\n");
  tree.file("cpuset.cpus", "0-1\n");
  tree.file("cpuset.mems", "0\n");
  tree.file("cpuset.sched_load_balance", "1\n");
  tree.file("cpuset.sched_relax_domain_level", "-1\n");
  tree.file("memory.stat", "cache 11\nrss 22\n");
  tree.file("memory.usage_in_bytes", "33\n");
  tree.file("memory.max_usage_in_bytes", "44\n");
  tree.file("memory.failcnt", "5\n");
  tree.file("memory.limit_in_bytes", "1000\n");
  tree.file("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n");
  tree.file("pids.current", "7\n");
  tree.file("pids.max", "max\n");
  tree.file("blkio.throttle.io_service_bytes_recursive",
            "8:0 Read 512\n8:0 Total 512\nTotal 512\n");
  tree.file("blkio.throttle.io_serviced_recursive", "8:0 Read 1\nTotal 1\n");
  tree.file("hugetlb.2MB.usage_in_bytes", "2097152\n");
  tree.file("hugetlb.2MB.max_usage_in_bytes", "4194304\n");
  tree.file("hugetlb.2MB.failcnt", "8\n");
  std::map<std::string, std::string> paths;
  for (const char* name : {"cpu", "cpuacct", "cpuset", "memory", "pids", "blkio", "hugetlb"})
    paths[name] = tree.root();
  const auto stats = nlohmann::json::parse(stats_json(read_stats(paths)));
  CHECK(stats["cpu"].dump() ==
        R"({"throttling":{"burstTime":50,"bursts":1,"periods":3,"throttledPeriods":2,)"
        R"("throttledTime":900},"usage":{"kernel":10000000,"percpu":[3000,2000],)"
        R"("percpu_kernel":[500,1000],"percpu_user":[2500,1000],"total":5000,"user":20000000}})");
  CHECK(stats["cpuset"]["cpus"].dump() == "[0,1]");
  CHECK(stats["cpuset"]["sched_load_balance"] == 1);
  CHECK(stats["cpuset"]["sched_relax_domain_level"] == -1);
  CHECK(stats["memory"]["cache"] == 11);
  CHECK(stats["memory"]["raw"]["rss"] == 22);
  CHECK(stats["memory"]["usage"].dump() == R"({"failcnt":5,"limit":1000,"max":44,"usage":33})");
  CHECK(stats["memory"]["events"]["oom_kill"] == 6);
  CHECK(stats["pids"].dump() == R"({"current":7})");
  CHECK(stats["blkio"]["ioServiceBytesRecursive"].dump() ==
        R"([{"major":8,"op":"Read","value":512},{"major":8,"op":"Total","value":512}])");
  CHECK(stats["hugetlb"]["2MB"].dump() == R"({"failcnt":8,"max":4194304,"usage":2097152})");
}

TEST_CASE("v2 statistics in runc's form, and what runc leaves out beside them", "[L66]") {
  FakeTree tree;
  tree.file("cpu.stat",
            "usage_usec 5\nuser_usec 3\nsystem_usec 2\nnr_periods 4\nnr_throttled 1\n"
            "throttled_usec 6\nnr_bursts 7\nburst_usec 8\n");
  tree.file("cpu.pressure",
            "some avg10=0.10 avg60=0.00 avg300=0.00 total=9\n"
            "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
  tree.file("memory.stat", "anon 1\nfile 2\n");
  tree.file("memory.current", "100\n");
  tree.file("memory.max", "1000\n");
  tree.file("memory.peak", "200\n");
  tree.file("memory.swap.current", "10\n");
  tree.file("memory.swap.max", "500\n");
  tree.file("memory.swap.peak", "20\n");
  tree.file("memory.events", "low 0\nhigh 0\nmax 3\noom 1\noom_kill 1\n");
  tree.file("memory.events.local", "oom_kill 0\n");
  tree.file("pids.current", "2\n");
  tree.file("pids.max", "50\n");
  tree.file("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6\n");
  tree.file("hugetlb.2MB.current", "0\n");
  tree.file("hugetlb.2MB.events", "max 2\n");
  tree.file("rdma.current", "mlx5_0 hca_handle=1 hca_object=2\n");
  tree.file("rdma.max", "mlx5_0 hca_handle=max hca_object=20\n");
  tree.file("misc.current", "sev 3\n");
  tree.file("misc.events", "sev.max 4\n");
  const auto stats = nlohmann::json::parse(stats_json(read_stats({{"", tree.root()}})));
  CHECK(stats["cpu"]["usage"].dump() == R"({"kernel":2000,"total":5000,"user":3000})");
  CHECK(stats["cpu"]["throttling"]["throttledTime"] == 6000);
  CHECK(stats["cpu"]["throttling"]["bursts"] == 7);
  CHECK(stats["cpu"]["throttling"]["burstTime"] == 8000);
  CHECK(stats["cpu"]["psi"]["some"]["avg10"] == 0.1);
  CHECK(stats["cpu"]["psi"]["some"]["total"] == 9);
  CHECK(stats["memory"]["cache"] == 2);
  CHECK(stats["memory"]["usage"].dump() == R"({"failcnt":3,"limit":1000,"max":200,"usage":100})");
  CHECK(stats["memory"]["swap"].dump() == R"({"failcnt":0,"limit":1500,"usage":110})");
  CHECK(stats["memory"]["swapOnly"].dump() == R"({"failcnt":0,"limit":500,"max":20,"usage":10})");
  CHECK(stats["memory"]["events"]["oom_kill"] == 1);
  CHECK(stats["memory"]["eventsLocal"]["oom_kill"] == 0);
  CHECK_FALSE(stats["memory"].contains("psi"));
  CHECK(stats["pids"].dump() == R"({"current":2,"limit":50})");
  CHECK(stats["blkio"]["ioServiceBytesRecursive"].dump() ==
        R"([{"major":8,"op":"Read","value":1},{"major":8,"op":"Write","value":2}])");
  CHECK(stats["blkio"]["ioServicedRecursive"][1]["value"] == 4);
  CHECK(stats["hugetlb"]["2MB"].dump() == R"({"failcnt":2})");
  CHECK(stats["rdma"]["limit"][0].dump() ==
        R"({"device":"mlx5_0","hcaHandles":4294967295,"hcaObjects":20})");
  CHECK(stats["misc"]["sev"].dump() == R"({"events":4,"usage":3})");
}

TEST_CASE("no limit on v2 memory is the largest number, as in runc") {
  FakeTree tree;
  tree.file("memory.current", "100\n");
  tree.file("memory.max", "max\n");
  const Stats stats = read_stats({{"", tree.root()}});
  CHECK(stats.memory.usage.limit == UINT64_MAX);
  CHECK(stats.memory.swap.limit == UINT64_MAX);
  CHECK_FALSE(stats.memory.swap_only);
}

TEST_CASE("on a hybrid host v1's controllers are asked in v1, the others in v2") {
  FakeTree v1;
  v1.file("memory.usage_in_bytes", "5\n");
  FakeTree v2;
  v2.file("memory.current", "6\n");
  v2.file("hugetlb.2MB.current", "7\n");
  const Stats stats = read_stats({{"memory", v1.root()}, {"", v2.root()}});
  CHECK(stats.memory.usage.usage == 5);
  CHECK(stats.hugetlb.at("2MB").usage == 7);
}

}  // namespace
}  // namespace hull::cgroups

// Every limit of linux.resources: set by config.json, changed by `update`, and read back from the
// kernel, in whichever version of cgroups this host has its controller. What v2 lacks must be
// refused there with the name of the field.
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// A file of the container's cgroup, and what it holds (a part is enough).
struct File {
  std::string controller;
  std::string name;  // empty: this version of cgroups has none
  std::string created;
  std::string updated;
};

struct Limit {
  Json created;  // "resources" of config.json
  Json updated;  // for `update --resources -`
  File v1;
  File v2;
  std::vector<std::string> flags = {};  // of `update`, to the same effect
  std::string field = {};               // that is named where there is no such file
};

// A sleeping container with these limits beside the device rules.
class Limited {
 public:
  explicit Limited(const Json& limits) {
    bundle.args({"/bin/sleep", "100"});
    bundle.config["linux"]["resources"].update(limits);
    hull.launch();
  }
  Bundle bundle;
  Hull hull{bundle};
};

bool in_v2(const Limit& limit) {
  return limit.v1.controller.empty() || in_cgroup_v2(limit.v1.controller);
}

const File& file_here(const Limit& limit) { return in_v2(limit) ? limit.v2 : limit.v1; }

// Why the limit can't be tried here; empty when it can.
std::string missing(const Limit& limit) {
  const File& file = file_here(limit);
  if (file.controller.empty()) return in_cgroup_v2("") ? "" : "cgroup v2 is not mounted";
  if (!has_controller(file.controller)) return "no " + file.controller + " controller";
  if (file.name.empty()) return "";
  Limited probe(Json::object());
  const bool there = exists(cgroup_of(probe.hull.pid(), file.controller) + "/" + file.name);
  return there ? "" : "the kernel has no " + file.name;
}

void update(const Hull& hull, const std::vector<std::string>& flags, const std::string& input) {
  std::vector<std::string> words{"update"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(hull.id());
  const Outcome done = hull.command(words, {.input = input});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
}

void check_refusal(const Limit& limit) {
  Bundle bundle;
  bundle.config["linux"]["resources"].update(limit.created);
  CHECK(contains(refusal_of(bundle), "/linux/resources/" + limit.field));
  Limited plain(Json::object());
  const Outcome done = plain.hull.command({"update", "--resources", "-", plain.hull.id()},
                                          {.input = limit.updated.dump()});
  CHECK(done.exit_code != 0);
  CHECK(contains(done.err, "/linux/resources/" + limit.field));
}

void check(const Limit& limit) {
  const File& file = file_here(limit);
  if (file.name.empty()) return check_refusal(limit);
  const auto content = [&](const Hull& hull) {
    return hull.cgroup_file(file.controller, file.name);
  };
  const auto holds = [](const std::string& text, const std::string& part) {
    // A lone number is the whole file; else one of its lines.
    return text == part || (part.find(' ') != std::string::npos && contains(text, part));
  };
  {
    Limited by_file(limit.created);
    CHECK(holds(content(by_file.hull), file.created));
    update(by_file.hull, {"--resources", "-"}, limit.updated.dump());
    INFO(content(by_file.hull));
    CHECK(holds(content(by_file.hull), file.updated));
  }
  if (limit.flags.empty()) return;
  Limited by_flags(limit.created);
  update(by_flags.hull, limit.flags, "");
  INFO(content(by_flags.hull));
  CHECK(holds(content(by_flags.hull), file.updated));
}

#define CHECK_LIMIT(...)                                                                     \
  const Limit limit __VA_ARGS__;                                                             \
  if (const std::string reason = missing(limit); !reason.empty()) HULL_SKIP(reason.c_str()); \
  check(limit)

constexpr int64_t kMiB = 1 << 20;
std::string mib(int64_t number) { return std::to_string(number * kMiB); }

Json memory(const Json& value) { return Json{{"memory", value}}; }
Json cpu(const Json& value) { return Json{{"cpu", value}}; }

// {major, minor} of the first of these that this machine has; empty when it has none.
std::vector<int> disk_numbers(const std::vector<const char*>& disks) {
  for (const char* disk : disks) {
    const auto text = read_file_if_exists("/sys/block/" + std::string(disk) + "/dev");
    if (!text) continue;
    const auto parts = split(trim(*text), ':');
    return {parse_number<int>(parts[0]).value_or(0), parse_number<int>(parts[1]).value_or(0)};
  }
  return {};
}

Json on_disk(const std::vector<int>& disk, const std::string& key, const std::string& value_key,
             int64_t value) {
  return Json{{"blockIO", {{key, {{{"major", disk[0]}, {"minor", disk[1]}, {value_key, value}}}}}}};
}

std::string disk_line(const std::vector<int>& disk, const std::string& rest) {
  return std::to_string(disk[0]) + ":" + std::to_string(disk[1]) + " " + rest;
}

// BFQ on a loop device that nobody uses: other schedulers know no weights.
class WeighingDisk {
 public:
  WeighingDisk() {
    const auto text = read_file_if_exists(kScheduler);
    if (!text || !contains(*text, "bfq") || contains(*text, "[bfq]")) return;
    const size_t start = text->find('[') + 1;
    former_ = text->substr(start, text->find(']') - start);
    write_existing(kScheduler, "bfq");
  }
  ~WeighingDisk() {
    if (!former_.empty()) write_existing(kScheduler, former_);
  }
  [[nodiscard]] bool works() const { return !former_.empty(); }

 private:
  static constexpr char kScheduler[] = "/sys/block/loop7/queue/scheduler";
  std::string former_;
};

}  // namespace

TEST_CASE("memory.limit", "[F1][B39][B40]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}}),
               memory({{"limit", 96 * kMiB}}),
               {"memory", "memory.limit_in_bytes", mib(64), mib(96)},
               {"memory", "memory.max", mib(64), mib(96)},
               {"--memory", "96m"}});
}

TEST_CASE("memory.limit -1 is none", "[F1][B40]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}}),
               memory({{"limit", -1}}),
               {"memory", "memory.limit_in_bytes", mib(64), "9223372036854771712"},
               {"memory", "memory.max", mib(64), "max"},
               {"--memory", "-1"}});
}

TEST_CASE("memory.reservation", "[F2][B39]") {
  CHECK_LIMIT({memory({{"reservation", 32 * kMiB}}),
               memory({{"reservation", 16 * kMiB}}),
               {"memory", "memory.soft_limit_in_bytes", mib(32), mib(16)},
               {"memory", "memory.low", mib(32), mib(16)},
               {"--memory-reservation", "16m"}});
}

TEST_CASE("memory.swap", "[F3][B39]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}, {"swap", 96 * kMiB}}),
               memory({{"limit", 128 * kMiB}, {"swap", 256 * kMiB}}),
               {"memory", "memory.memsw.limit_in_bytes", mib(96), mib(256)},
               {"memory", "memory.swap.max", mib(32), mib(128)},
               {"--memory", "128m", "--memory-swap", "256m"}});
}

TEST_CASE("memory.swap goes down below the former memory limit", "[F3]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}, {"swap", 96 * kMiB}}),
               memory({{"limit", 16 * kMiB}, {"swap", 32 * kMiB}}),
               {"memory", "memory.memsw.limit_in_bytes", mib(96), mib(32)},
               {"memory", "memory.swap.max", mib(32), mib(16)},
               {"--memory", "16m", "--memory-swap", "32m"}});
}

TEST_CASE("memory.swap alone", "[F3][B43]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}, {"swap", 96 * kMiB}}),
               memory({{"swap", -1}}),
               {"memory", "memory.memsw.limit_in_bytes", mib(96), "9223372036854771712"},
               {"memory", "memory.swap.max", mib(32), "max"},
               {"--memory-swap", "-1"}});
}

TEST_CASE("memory.swappiness", "[F5][F28]") {
  CHECK_LIMIT({memory({{"swappiness", 13}}),
               memory({{"swappiness", 0}}),
               {"memory", "memory.swappiness", "13", "0"},
               {"memory", "", "", ""},
               {},
               "memory/swappiness"});
}

TEST_CASE("memory.disableOOMKiller", "[F6][F28]") {
  CHECK_LIMIT({memory({{"limit", 64 * kMiB}, {"disableOOMKiller", true}}),
               memory({{"disableOOMKiller", true}}),
               {"memory", "memory.oom_control", "oom_kill_disable 1", "oom_kill_disable 1"},
               {"memory", "", "", ""},
               {},
               "memory/disableOOMKiller"});
}

TEST_CASE("memory.disableOOMKiller can be taken back", "[F6]") {
  if (in_cgroup_v2("memory")) HULL_SKIP("cgroup v2 has no such switch");
  CHECK_LIMIT({memory({{"disableOOMKiller", true}}),
               memory({{"disableOOMKiller", false}}),
               {"memory", "memory.oom_control", "oom_kill_disable 1", "oom_kill_disable 0"},
               {"memory", "", "", ""}});
}

TEST_CASE("memory.checkBeforeUpdate refuses a limit below the usage", "[F8]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  Bundle bundle;
  bundle.mount("/mnt", "tmpfs", "tmpfs", {});
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 64 * kMiB}};
  bundle.script("dd if=/dev/zero of=/mnt/big bs=1M count=24 2>/dev/null; touch /ready; sleep 100");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(eventually([&] { return exists(bundle.rootfs("/ready")); }));
  const Json low = memory({{"limit", 8 * kMiB}, {"checkBeforeUpdate", true}});
  const Outcome done =
      hull.command({"update", "--resources", "-", hull.id()}, {.input = low.dump()});
  CHECK(done.exit_code != 0);
  CHECK(contains(done.err, "/linux/resources/memory/limit"));
  CHECK(hull.cgroup_file(
            "memory", in_cgroup_v2("memory") ? "memory.max" : "memory.limit_in_bytes") == mib(64));
  CHECK(hull.status() == "running");
}

TEST_CASE("memory.kernel, kernelTCP and useHierarchy are without effect", "[F4][F7]") {
  Limited c(memory({{"kernel", 64 * kMiB}, {"kernelTCP", 64 * kMiB}, {"useHierarchy", true}}));
  update(c.hull, {"--kernel-memory", "64m", "--kernel-memory-tcp", "64m"}, "");
  CHECK(c.hull.status() == "running");
}

TEST_CASE("cpu.shares", "[F9][B39]") {
  CHECK_LIMIT({cpu({{"shares", 512}}),
               cpu({{"shares", 2048}}),
               {"cpu", "cpu.shares", "512", "2048"},
               {"cpu", "cpu.weight", "59", "174"},
               {"--cpu-share", "2048"}});
}

TEST_CASE("cpu.quota and cpu.period", "[F10][B39]") {
  CHECK_LIMIT({cpu({{"quota", 20'000}, {"period", 50'000}}),
               cpu({{"quota", 40'000}, {"period", 80'000}}),
               {"cpu", "cpu.cfs_quota_us", "20000", "40000"},
               {"cpu", "cpu.max", "20000 50000", "40000 80000"},
               {"--cpu-quota", "40000", "--cpu-period", "80000"}});
}

TEST_CASE("cpu.period keeps the quota", "[F10][B43]") {
  CHECK_LIMIT({cpu({{"quota", 20'000}, {"period", 50'000}}),
               cpu({{"period", 80'000}}),
               {"cpu", "cpu.cfs_period_us", "50000", "80000"},
               {"cpu", "cpu.max", "20000 50000", "20000 80000"},
               {"--cpu-period", "80000"}});
}

TEST_CASE("cpu.quota keeps the period; -1 is none", "[F10][B40][B43]") {
  CHECK_LIMIT({cpu({{"quota", 20'000}, {"period", 50'000}}),
               cpu({{"quota", -1}}),
               {"cpu", "cpu.cfs_quota_us", "20000", "-1"},
               {"cpu", "cpu.max", "20000 50000", "max 50000"},
               {"--cpu-quota", "-1"}});
}

TEST_CASE("cpu.burst", "[F11][B39]") {
  CHECK_LIMIT({cpu({{"quota", 20'000}, {"period", 50'000}, {"burst", 10'000}}),
               cpu({{"quota", 40'000}, {"burst", 30'000}}),
               {"cpu", "cpu.cfs_burst_us", "10000", "30000"},
               {"cpu", "cpu.max.burst", "10000", "30000"},
               {"--cpu-quota", "40000", "--cpu-burst", "30000"}});
}

TEST_CASE("cpu.burst 0 is none", "[F11]") {
  CHECK_LIMIT({cpu({{"quota", 20'000}, {"period", 50'000}, {"burst", 10'000}}),
               cpu({{"quota", 5'000}, {"burst", 0}}),
               {"cpu", "cpu.cfs_burst_us", "10000", "0"},
               {"cpu", "cpu.max.burst", "10000", "0"},
               {"--cpu-quota", "5000", "--cpu-burst", "0"}});
}

TEST_CASE("cpu.realtimeRuntime", "[F12][F28][B39]") {
  CHECK_LIMIT({cpu({{"realtimeRuntime", 1'000}}),
               cpu({{"realtimeRuntime", 2'000}}),
               {"cpu", "cpu.rt_runtime_us", "1000", "2000"},
               {"cpu", "", "", ""},
               {"--cpu-rt-runtime", "2000"},
               "cpu/realtimeRuntime"});
}

TEST_CASE("cpu.realtimePeriod", "[F12][F28][B39]") {
  CHECK_LIMIT({cpu({{"realtimePeriod", 900'000}}),
               cpu({{"realtimePeriod", 800'000}}),
               {"cpu", "cpu.rt_period_us", "900000", "800000"},
               {"cpu", "", "", ""},
               {"--cpu-rt-period", "800000"},
               "cpu/realtimePeriod"});
}

TEST_CASE("cpu.cpus", "[F13][B39]") {
  if (sysconf(_SC_NPROCESSORS_ONLN) < 2) HULL_SKIP("needs two CPUs");
  CHECK_LIMIT({cpu({{"cpus", "0"}}),
               cpu({{"cpus", "0-1"}}),
               {"cpuset", "cpuset.cpus", "0", "0-1"},
               {"cpuset", "cpuset.cpus", "0", "0-1"},
               {"--cpuset-cpus", "0-1"}});
}

TEST_CASE("cpu.mems", "[F13][B39]") {
  CHECK_LIMIT({cpu({{"mems", "0"}}),
               cpu({{"mems", "0"}}),
               {"cpuset", "cpuset.mems", "0", "0"},
               {"cpuset", "cpuset.mems", "0", "0"},
               {"--cpuset-mems", "0"}});
}

TEST_CASE("cpu.idle", "[F14][B39]") {
  CHECK_LIMIT({cpu({{"idle", 1}, {"shares", 512}}),
               cpu({{"idle", 0}}),
               {"cpu", "cpu.idle", "1", "0"},
               {"cpu", "cpu.idle", "1", "0"},
               {"--cpu-idle", "0"}});
}

TEST_CASE("cpu.shares come back when the cgroup is no longer idle", "[F14][B43]") {
  const bool v2 = in_cgroup_v2("cpu");
  if (!has_controller("cpu")) HULL_SKIP("no cpu controller");
  Limited c(cpu({{"shares", 512}}));
  if (!exists(cgroup_of(c.hull.pid(), "cpu") + "/cpu.idle"))
    HULL_SKIP("the kernel has no cpu.idle");
  update(c.hull, {"--cpu-idle", "1"}, "");
  CHECK(c.hull.cgroup_file("cpu", "cpu.idle") == "1");
  update(c.hull, {"--cpu-share", "256"}, "");  // kept for later
  update(c.hull, {"--cpu-idle", "0"}, "");
  CHECK(c.hull.cgroup_file("cpu", v2 ? "cpu.weight" : "cpu.shares") == (v2 ? "35" : "256"));
}

TEST_CASE("pids.limit", "[F15][B39]") {
  CHECK_LIMIT({Json{{"pids", {{"limit", 20}}}},
               Json{{"pids", {{"limit", 30}}}},
               {"pids", "pids.max", "20", "30"},
               {"pids", "pids.max", "20", "30"},
               {"--pids-limit", "30"}});
}

TEST_CASE("pids.limit -1 is none", "[F15][B40]") {
  CHECK_LIMIT({Json{{"pids", {{"limit", 20}}}},
               Json{{"pids", {{"limit", -1}}}},
               {"pids", "pids.max", "20", "max"},
               {"pids", "pids.max", "20", "max"},
               {"--pids-limit", "-1"}});
}

TEST_CASE("pids.limit 0 lets the program run, but not fork", "[F15]") {
  if (!has_controller("pids")) HULL_SKIP("no pids controller");
  Bundle bundle;
  bundle.config["linux"]["resources"]["pids"] = {{"limit", 0}};
  bundle.script("echo alive; /bin/true & wait; echo forked");
  Hull hull(bundle);
  const Outcome done = hull.run();
  INFO(done.err);
  CHECK(done.out == "alive\n");
  CHECK(done.exit_code != 0);
}

TEST_CASE("blockIO.weight", "[F16][B39]") {
  const Json created{{"blockIO", {{"weight", 500}}}};
  const Json updated{{"blockIO", {{"weight", 1000}}}};
  const std::vector<std::string> flags{"--blkio-weight", "1000"};
  Limited probe(Json::object());
  const std::string controller = in_cgroup_v2("blkio") ? "io" : "blkio";
  if (!has_controller(controller)) HULL_SKIP("no block controller");
  const auto has = [&](const char* name) {
    return exists(cgroup_of(probe.hull.pid(), controller) + "/" + name);
  };
  const bool bfq = has("io.bfq.weight") || has("blkio.bfq.weight");
  CHECK_LIMIT({created,
               updated,
               {"blkio", bfq ? "blkio.bfq.weight" : "blkio.weight", "500", "1000"},
               {"io", bfq ? "io.bfq.weight" : "io.weight", bfq ? "default 500" : "default 4950",
                bfq ? "default 1000" : "default 10000"},
               flags});
}

TEST_CASE("blockIO.leafWeight", "[F17][F28]") {
  CHECK_LIMIT({Json{{"blockIO", {{"leafWeight", 500}}}},
               Json{{"blockIO", {{"leafWeight", 1000}}}},
               {"blkio", "blkio.leaf_weight", "500", "1000"},
               {"io", "", "", ""},
               {},
               "blockIO/leafWeight"});
}

TEST_CASE("blockIO.weightDevice", "[F18][B41]") {
  const WeighingDisk bfq;
  if (!bfq.works()) HULL_SKIP("the kernel has no BFQ scheduler");
  const auto disk = disk_numbers({"loop7"});
  CHECK_LIMIT(
      {on_disk(disk, "weightDevice", "weight", 500),
       on_disk(disk, "weightDevice", "weight", 1000),
       {"blkio", "blkio.bfq.weight_device", disk_line(disk, "500"), disk_line(disk, "1000")},
       {"io", "io.bfq.weight", disk_line(disk, "500"), disk_line(disk, "1000")}});
  // A second device does not take the first one's weight away.
  Limited c(limit.created);
  const File& file = file_here(limit);
  const auto other = disk_numbers({"loop6"});
  write_existing("/sys/block/loop6/queue/scheduler", "bfq");
  update(c.hull, {"--resources", "-"}, on_disk(other, "weightDevice", "weight", 200).dump());
  write_existing("/sys/block/loop6/queue/scheduler", "none");
  CHECK(contains(c.hull.cgroup_file(file.controller, file.name), disk_line(disk, "500")));
  const Json saved = Json::parse(read_file(c.hull.root() + "/" + c.hull.id() + "/state.json"));
  CHECK(saved["config"]["cgroups"]["blkio_weight_device"].size() == 2);
}

TEST_CASE("blockIO.throttle*Device", "[F19][B41]") {
  const auto disk = disk_numbers({"vda", "sda", "nvme0n1", "xvda", "ubda", "loop0"});
  if (disk.empty()) HULL_SKIP("no disk");
  struct Kind {
    const char* key;
    const char* v1;
    const char* v2;
  };
  for (const Kind& kind : {Kind{"throttleReadBpsDevice", "read_bps", "rbps="},
                           Kind{"throttleWriteBpsDevice", "write_bps", "wbps="},
                           Kind{"throttleReadIOPSDevice", "read_iops", "riops="},
                           Kind{"throttleWriteIOPSDevice", "write_iops", "wiops="}}) {
    INFO(kind.key);
    const bool v2 = in_cgroup_v2("blkio");
    const std::string controller = v2 ? "io" : "blkio";
    const std::string name = v2 ? "io.max" : "blkio.throttle." + std::string(kind.v1) + "_device";
    if (!has_controller(controller)) HULL_SKIP("no block controller");
    const auto limit = [&](int64_t rate) { return on_disk(disk, kind.key, "rate", rate); };
    const auto line = [&](const std::string& rate) {
      return v2 ? kind.v2 + rate : disk_line(disk, rate);
    };
    {
      Limited probe(Json::object());
      if (!exists(cgroup_of(probe.hull.pid(), controller) + "/" + name))
        HULL_SKIP("the kernel can't throttle");
    }
    Limited c(limit(1'048'576));
    CHECK(contains(c.hull.cgroup_file(controller, name), line("1048576")));
    update(c.hull, {"--resources", "-"}, limit(2'097'152).dump());
    CHECK(contains(c.hull.cgroup_file(controller, name), line("2097152")));
    update(c.hull, {"--resources", "-"}, limit(0).dump());
    CHECK_FALSE(contains(c.hull.cgroup_file(controller, name), line("2097152")));
  }
}

TEST_CASE("hugepageLimits, reservations too", "[F20][B41]") {
  const auto limit_of = [](int64_t bytes) {
    return Json{{"hugepageLimits", {{{"pageSize", "2MB"}, {"limit", bytes}}}}};
  };
  const bool v2 = in_cgroup_v2("hugetlb");
  CHECK_LIMIT({limit_of(4 * kMiB),
               limit_of(8 * kMiB),
               {"hugetlb", "hugetlb.2MB.limit_in_bytes", mib(4), mib(8)},
               {"hugetlb", "hugetlb.2MB.max", mib(4), mib(8)}});
  Limited c(limit_of(4 * kMiB));
  CHECK(c.hull.cgroup_file(
            "hugetlb", v2 ? "hugetlb.2MB.rsvd.max" : "hugetlb.2MB.rsvd.limit_in_bytes") == mib(4));
}

TEST_CASE("rdma", "[F22][B41]") {
  if (!has_controller("rdma")) HULL_SKIP("no rdma controller");
  std::string device;
  Limited probe(Json::object());
  const std::string limits = probe.hull.cgroup_file("rdma", "rdma.max");
  if (limits.empty()) {
    // The kernel is asked all the same, and says that there is no such device.
    Bundle bundle;
    bundle.config["linux"]["resources"]["rdma"] = {{"mlx5_9", {{"hcaHandles", 2}}}};
    CHECK(contains(refusal_of(bundle), "/linux/resources/rdma/mlx5_9"));
    return;
  }
  device = limits.substr(0, limits.find(' '));
  CHECK_LIMIT({Json{{"rdma", {{device, {{"hcaHandles", 2}, {"hcaObjects", 100}}}}}},
               Json{{"rdma", {{device, {{"hcaHandles", 3}}}}}},
               {"rdma", "rdma.max", device + " hca_handle=2 hca_object=100",
                device + " hca_handle=3 hca_object=100"},
               {"rdma", "rdma.max", device + " hca_handle=2 hca_object=100",
                device + " hca_handle=3 hca_object=100"}});
}

TEST_CASE("unified: the core's own file, on a hybrid host too", "[F27][F33][B41]") {
  CHECK_LIMIT({Json{{"unified", {{"cgroup.max.descendants", "5"}}}},
               Json{{"unified", {{"cgroup.max.descendants", "7"}}}},
               {},
               {"", "cgroup.max.descendants", "5", "7"}});
}

TEST_CASE("unified: a file of a controller", "[F27][F38][B41]") {
  struct Known {
    const char* controller;
    const char* file;
    const char* created;
    const char* updated;
  };
  for (const Known& one :
       {Known{"memory", "memory.high", "41943040", "62914560"},
        Known{"memory", "memory.min", "1048576", "2097152"},
        Known{"memory", "memory.oom.group", "1", "0"},
        Known{"hugetlb", "hugetlb.2MB.max", "2097152", "4194304"},
        Known{"cpu", "cpu.weight.nice", "5", "-5"}, Known{"pids", "pids.max", "77", "88"}}) {
    INFO(one.file);
    const Limit limit{Json{{"unified", {{one.file, one.created}}}},
                      Json{{"unified", {{one.file, one.updated}}}},
                      {},
                      {one.controller, one.file, one.created, one.updated}};
    if (!has_controller(one.controller)) continue;
    if (in_cgroup_v2(one.controller)) {
      check(limit);
      continue;
    }
    Bundle bundle;
    bundle.config["linux"]["resources"].update(limit.created);
    CHECK(contains(refusal_of(bundle), "/linux/resources/unified/" + std::string(one.file)));
  }
}

TEST_CASE("unified: a controller or file that does not exist is refused by name", "[F27]") {
  for (const char* file : {"nonesuch.max", "cgroup.nonesuch", "../memory.max", "memory"}) {
    Bundle bundle;
    bundle.config["linux"]["resources"]["unified"] = {{file, "1"}};
    INFO(file);
    CHECK(contains(refusal_of(bundle), "/linux/resources/unified/"));
  }
}

TEST_CASE("network.classID and network.priorities", "[F21][F28]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.config["linux"]["resources"]["network"] = {
      {"classID", 1'048'577}, {"priorities", {{{"name", "lo"}, {"priority", 3}}}}};
  if (in_cgroup_v2("memory")) {
    CHECK(contains(refusal_of(bundle), "/linux/resources/network/classID"));
    return;
  }
  // Hosts seldom mount these: a mount namespace of the test's own has them.
  bundle.save();
  Hull hull(bundle);
  write_file(bundle.dir() + "/update.json", R"({"network":{"classID":1048578,
      "priorities":[{"name":"lo","priority":4}]}})");
  const std::string runtime = Hull::program() + " --root " + hull.root();
  // A hierarchy goes with its last mount only when its cgroups are gone, which takes the kernel a
  // moment.
  const std::string script = "dir=" + bundle.dir() + "/net; runtime='" + runtime +
                             "'; id=" + hull.id() + "; bundle=" + bundle.dir() + R"(
      mount() { command mount -t cgroup -o net_cls,net_prio none $dir; }
      clean() {
        $runtime delete --force $id
        for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
          umount $dir
          grep -q net_cls,net_prio /proc/self/cgroup || break
          sleep 0.1
          mount
        done
      }
      show() { cat $dir/$path/net_cls.classid; grep '^lo ' $dir/$path/net_prio.ifpriomap; }
      set -e
      mkdir $dir
      mount || exit 77
      trap clean EXIT
      path=)" + bundle.config["linux"]["cgroupsPath"].get<std::string>() +
                             R"(
      $runtime create --bundle $bundle $id >/dev/null </dev/null
      show
      $runtime update --resources $bundle/update.json $id
      show)";
  const Outcome done = run_command({"unshare", "--mount", "sh", "-c", script});
  if (done.exit_code == 77) HULL_SKIP("net_cls and net_prio can't be mounted");
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(done.out == "1048577\nlo 3\n1048578\nlo 4\n");
}

}  // namespace hull::conformance

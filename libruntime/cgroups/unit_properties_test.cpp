#include "libruntime/cgroups/unit_properties.h"

#include <algorithm>
#include <map>
#include <random>

#include "libruntime/cgroups/device_rules.h"
#include "libruntime/system/catch.h"

using hull::cgroups::device_properties;
using hull::cgroups::limit_properties;
using hull::cgroups::LimitProperty;
using hull::cgroups::mask_of_list;
using hull::cgroups::Mode;
using hull::configs::DeviceRule;
using hull::configs::Resources;
using hull::configs::UnitProperty;

namespace {

using Value = UnitProperty::Value;
using Rates = std::vector<std::pair<std::string, uint64_t>>;
using Allows = std::vector<std::pair<std::string, std::string>>;

std::map<std::string, Value> values(const Resources& resources, Mode mode = Mode::v2) {
  std::map<std::string, Value> out;
  for (const LimitProperty& one : limit_properties(resources, mode))
    REQUIRE(out.emplace(one.property.name, one.property.value).second);  // each once
  return out;
}

std::map<std::string, Value> of_unified(const std::string& file, const std::string& value) {
  Resources r;
  r.unified[file] = value;
  return values(r);
}

Allows allowed(const std::vector<DeviceRule>& rules) {
  return std::get<Allows>(device_properties(rules).back().value);
}

std::string policy(const std::vector<DeviceRule>& rules) {
  return std::get<std::string>(device_properties(rules).front().value);
}

}  // namespace

TEST_CASE("systemd hears of every limit that it has a property for", "[cgroups][systemd][L63]") {
  Resources r;
  r.memory = 1 << 26;
  r.memory_reservation = 1 << 25;
  r.memory_swap = (1 << 26) + 4096;
  r.cpu_shares = 1024;
  r.cpu_quota = 50000;
  r.cpu_period = 20000;
  r.cpuset_cpus = "0-1,8";
  r.cpuset_mems = "0";
  r.pids_limit = 7;
  r.blkio_weight = 10;
  r.blkio_weight_device = {{8, 0, 1000, 0}};
  r.throttle_read_bps = {{8, 0, 1}};
  r.throttle_write_bps = {{8, 0, 2}};
  r.throttle_read_iops = {{8, 0, 3}};
  r.throttle_write_iops = {{8, 16, 0}};
  CHECK(values(r) == std::map<std::string, Value>{
                         {"MemoryMax", uint64_t{1 << 26}},
                         {"MemoryLow", uint64_t{1 << 25}},
                         {"MemorySwapMax", uint64_t{4096}},
                         {"CPUWeight", uint64_t{100}},
                         {"CPUQuotaPerSecUSec", uint64_t{2500000}},
                         {"CPUQuotaPeriodUSec", uint64_t{20000}},
                         {"AllowedCPUs", std::vector<uint8_t>{3, 1}},
                         {"AllowedMemoryNodes", std::vector<uint8_t>{1}},
                         {"TasksMax", uint64_t{7}},
                         {"IOWeight", uint64_t{1}},
                         {"IODeviceWeight", Rates{{"/dev/block/8:0", 10000}}},
                         {"IOReadBandwidthMax", Rates{{"/dev/block/8:0", 1}}},
                         {"IOWriteBandwidthMax", Rates{{"/dev/block/8:0", 2}}},
                         {"IOReadIOPSMax", Rates{{"/dev/block/8:0", 3}}},
                         {"IOWriteIOPSMax", Rates{{"/dev/block/8:16", UINT64_MAX}}},
                     });
  CHECK(values(Resources{}).empty());
}

TEST_CASE("no limit is infinity, an idle group has weight 0", "[cgroups][systemd]") {
  Resources r;
  r.memory = -1;
  r.pids_limit = -1;
  r.cpu_quota = -1;
  r.cpu_idle = 1;
  r.cpu_weight = 50;
  CHECK(values(r) == std::map<std::string, Value>{{"MemoryMax", UINT64_MAX},
                                                  {"MemorySwapMax", UINT64_MAX},
                                                  {"TasksMax", UINT64_MAX},
                                                  {"CPUQuotaPerSecUSec", UINT64_MAX},
                                                  {"CPUWeight", uint64_t{0}}});
  r = {};
  r.pids_limit = 0;
  CHECK(values(r) == std::map<std::string, Value>{{"TasksMax", uint64_t{1}}});
}

TEST_CASE("systemd makes of a quota no less than it is, of whole hundredths of a percent the same",
          "[cgroups][systemd]") {
  const auto made_of = [](int64_t quota, uint64_t period) {
    Resources r;
    r.cpu_quota = quota;
    r.cpu_period = period;
    const auto per_second = std::get<uint64_t>(values(r).at("CPUQuotaPerSecUSec"));
    CHECK(per_second % 100 == 0);  // what "CPUQuota=12.34%" can say
    return static_cast<int64_t>(per_second * period / 1000000);
  };
  for (const uint64_t period : {1000ULL, 33333ULL, 70000ULL, 100000ULL, 999999ULL})
    for (const int64_t quota : {1000, 12345, 33333, 99999, 1234567})
      CHECK((made_of(quota, period) >= quota && made_of(quota, period) <= quota + 100));
  CHECK(made_of(12340, 100000) == 12340);
  CHECK(made_of(33320, 70000) == 33320);
}

TEST_CASE("systemd of cgroup v1 has other names", "[cgroups][systemd]") {
  Resources r;
  r.memory = 4096;
  r.memory_swap = 8192;
  r.cpu_shares = 512;
  r.blkio_weight = 100;
  CHECK(values(r, Mode::hybrid) == std::map<std::string, Value>{{"MemoryLimit", uint64_t{4096}},
                                                                {"CPUShares", uint64_t{512}},
                                                                {"BlockIOWeight", uint64_t{100}}});
}

TEST_CASE("unified keys become properties and come before the fields", "[cgroups][systemd]") {
  const auto one = [](const char* name, Value value) {
    return std::map<std::string, Value>{{name, std::move(value)}};
  };
  CHECK(of_unified("memory.max", "64M\n") == one("MemoryMax", uint64_t{64} << 20));
  CHECK(of_unified("memory.high", "max") == one("MemoryHigh", UINT64_MAX));
  CHECK(of_unified("memory.min", "4096") == one("MemoryMin", uint64_t{4096}));
  CHECK(of_unified("memory.low", "1g") == one("MemoryLow", uint64_t{1} << 30));
  CHECK(of_unified("memory.swap.max", "0") == one("MemorySwapMax", uint64_t{0}));
  CHECK(of_unified("memory.zswap.max", "0") == one("MemoryZSwapMax", uint64_t{0}));
  CHECK(of_unified("memory.oom.group", "1") == one("OOMPolicy", std::string("kill")));
  CHECK(of_unified("memory.oom.group", "0") == one("OOMPolicy", std::string("continue")));
  CHECK(of_unified("pids.max", "max") == one("TasksMax", UINT64_MAX));
  CHECK(of_unified("cpu.weight", "77") == one("CPUWeight", uint64_t{77}));
  CHECK(of_unified("cpu.idle", "1") == one("CPUWeight", uint64_t{0}));
  CHECK(of_unified("cpuset.cpus", "1") == one("AllowedCPUs", std::vector<uint8_t>{2}));
  CHECK(of_unified("cpuset.mems", "") == one("AllowedMemoryNodes", std::vector<uint8_t>{}));
  CHECK(of_unified("cpu.max", "max") == one("CPUQuotaPerSecUSec", UINT64_MAX));
  CHECK(of_unified("cpu.max", "5000 10000") ==
        std::map<std::string, Value>{{"CPUQuotaPerSecUSec", uint64_t{500000}},
                                     {"CPUQuotaPeriodUSec", uint64_t{10000}}});
  CHECK(of_unified("io.weight", "default 5\n8:0 6") ==
        std::map<std::string, Value>{{"IOWeight", uint64_t{5}},
                                     {"IODeviceWeight", Rates{{"/dev/block/8:0", 6}}}});
  CHECK(of_unified("io.max", "8:0 rbps=1 wiops=max\n8:16 rbps=2") ==
        std::map<std::string, Value>{
            {"IOReadBandwidthMax", Rates{{"/dev/block/8:0", 1}, {"/dev/block/8:16", 2}}},
            {"IOWriteIOPSMax", Rates{{"/dev/block/8:0", UINT64_MAX}}}});
  CHECK(of_unified("io.latency", "8:0 target=75") ==
        one("IODeviceLatencyTargetUSec", Rates{{"/dev/block/8:0", 75}}));
  for (const char* file : {"memory.max", "pids.max", "cpu.max", "cpuset.cpus", "io.max"})
    CHECK(of_unified(file, "nonsense").empty());
  CHECK(of_unified("hugetlb.2MB.max", "0").empty());

  Resources both;
  both.memory = 4096;
  both.unified["memory.max"] = "8192";
  CHECK(values(both).at("MemoryMax") == Value{uint64_t{8192}});
}

TEST_CASE("a list of CPUs is a mask", "[cgroups][systemd]") {
  CHECK(mask_of_list("0") == std::vector<uint8_t>{1});
  CHECK(mask_of_list("1-3, 8\n") == std::vector<uint8_t>{0x0e, 0x01});
  for (const char* bad : {"", "a", "3-1", "1-", "-1", "0,,1", "70000"})
    CHECK(mask_of_list(bad).empty());
}

TEST_CASE("device rules are an allow-list for systemd", "[cgroups][systemd]") {
  CHECK(policy({{'a', -1, -1, "rwm", true}}) == "auto");
  CHECK(allowed({{'a', -1, -1, "rwm", true}}).empty());
  CHECK(policy({}) == "strict");
  CHECK(allowed({{'a', -1, -1, "rwm", false},
                 {'c', -1, -1, "m", true},
                 {'c', 1, 3, "rw", true},
                 {'c', 136, -1, "rwm", true},
                 {'u', 10, 200, "r", true},
                 {'b', 8, 0, "r", true},
                 {'c', 1, 3, "w", false}}) == Allows{{"char-*", "m"},
                                                     {"/dev/char/1:3", "rm"},
                                                     {"char-136", "rwm"},
                                                     {"/dev/char/10:200", "rm"},
                                                     {"/dev/block/8:0", "r"}});
}

TEST_CASE("systemd never denies a device that the rules allow", "[cgroups][systemd]") {
  std::mt19937 random(7);  // NOLINT: the same rules each time
  const auto pick = [&](uint64_t below) { return static_cast<int64_t>(random() % below); };
  for (int round = 0; round < 3000; ++round) {
    std::vector<DeviceRule> rules{{'a', -1, -1, "rwm", pick(4) == 0}};
    for (int64_t i = pick(8); i >= 0; --i) {
      std::string access;
      for (const char letter : {'r', 'w', 'm'})
        if (pick(2) == 0) access += letter;
      rules.push_back({"abc"[pick(3)], pick(3) - 1, pick(3) - 1, access, pick(3) != 0});
    }
    const Allows list = allowed(rules);
    const bool all = policy(rules) == "auto";
    for (const char type : {'b', 'c'}) {
      for (int64_t number = 0; number < 4; ++number) {
        const int64_t major = number / 2;
        const int64_t minor = number % 2;
        unsigned ours = 0;
        for (const DeviceRule& rule : rules) {
          if ((rule.type != 'a' && rule.type != type) || (rule.major >= 0 && rule.major != major) ||
              (rule.minor >= 0 && rule.minor != minor))
            continue;
          const unsigned bits = hull::cgroups::device_bits(rule.permissions);
          ours = rule.allow ? ours | bits : ours & ~bits;
        }
        // One entry alone must grant it all.
        const std::string kind = type == 'c' ? "char" : "block";
        const std::string numbers = std::to_string(major) + ":" + std::to_string(minor);
        const bool granted = std::ranges::any_of(list, [&](const auto& entry) {
          const bool meant = entry.first == kind + "-*" ||
                             entry.first == kind + "-" + std::to_string(major) ||
                             entry.first == "/dev/" + kind + "/" + numbers;
          return meant && (ours & ~hull::cgroups::device_bits(entry.second)) == 0;
        });
        REQUIRE((all || ours == 0 || granted));
      }
    }
  }
}

// What `update` leaves alone, and what becomes of an update that fails.
#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr int64_t kMiB = 1 << 20;

class Sleeper {
 public:
  explicit Sleeper(const Json& limits = Json::object()) {
    bundle.args({"/bin/sleep", "100"});
    bundle.config["linux"]["resources"].update(limits);
    hull.launch();
  }
  Outcome update(const std::vector<std::string>& flags, const std::string& input = "") {
    std::vector<std::string> words{"update"};
    words.insert(words.end(), flags.begin(), flags.end());
    words.push_back(hull.id());
    return hull.command(words, {.input = input});
  }
  [[nodiscard]] std::string state_file() const {
    return read_file(hull.root() + "/" + hull.id() + "/state.json");
  }
  // What state.json says of the limits.
  [[nodiscard]] Json saved() const { return Json::parse(state_file())["config"]["cgroups"]; }
  std::string file(const std::string& controller, const std::string& v1, const std::string& v2) {
    return hull.cgroup_file(controller, in_cgroup_v2(controller) ? v2 : v1);
  }
  [[nodiscard]] std::string path(const std::string& controller, const std::string& name) const {
    return cgroup_of(hull.pid(), controller) + "/" + name;
  }
  Bundle bundle;
  Hull hull{bundle};
};

std::string mib(int64_t number) { return std::to_string(number * kMiB); }

}  // namespace

TEST_CASE("update keeps what it does not name, on disk and in state.json", "[B43][L13]") {
  if (!has_controller("pids") || !has_controller("memory")) HULL_SKIP("no memory or pids");
  Sleeper c(Json{{"pids", {{"limit", 10}}},
                 {"memory", {{"limit", 64 * kMiB}}},
                 {"cpu", {{"shares", 512}, {"quota", 20'000}, {"period", 50'000}}}});
  CHECK(c.update({"--memory", "96m"}).exit_code == 0);
  CHECK(c.hull.cgroup_file("pids", "pids.max") == "10");
  CHECK(c.file("cpu", "cpu.shares", "cpu.weight") == (in_cgroup_v2("cpu") ? "59" : "512"));
  const Json saved = c.saved();
  CHECK(saved["pids_limit"] == 10);
  CHECK(saved["memory"] == 96 * kMiB);
  CHECK(saved["cpu_shares"] == 512);
  CHECK(saved["cpu_quota"] == 20'000);
}

TEST_CASE("update does not write what it does not name: another's changes stay", "[B43]") {
  if (!has_controller("pids") || !has_controller("cpu")) HULL_SKIP("no pids or cpu controller");
  if (by_systemd()) HULL_SKIP("systemd takes back what it was not told");
  Sleeper c(Json{{"pids", {{"limit", 10}}}});
  write_existing(c.path("pids", "pids.max"), "33");
  CHECK(c.update({"--cpu-share", "2048"}).exit_code == 0);
  CHECK(c.hull.cgroup_file("pids", "pids.max") == "33");
}

TEST_CASE("an update that the kernel refuses changes nothing", "[B39]") {
  if (!has_controller("pids") || !has_controller("memory")) HULL_SKIP("no memory or pids");
  Sleeper c(Json{{"pids", {{"limit", 10}}}});
  const std::string before = c.state_file();
  const std::string memory = c.file("memory", "memory.limit_in_bytes", "memory.max");
  const std::string shares = c.file("cpu", "cpu.shares", "cpu.weight");
  // Written last, and refused: there is no such device.
  const Json wanted{
      {"memory", {{"limit", 64 * kMiB}, {"reservation", 32 * kMiB}}},
      {"pids", {{"limit", 20}}},
      {"cpu", {{"shares", 2048}, {"quota", 20'000}}},
      {"blockIO", {{"throttleReadBpsDevice", {{{"major", 4000}, {"minor", 9}, {"rate", 1024}}}}}}};
  const Outcome done = c.update({"--resources", "-"}, wanted.dump());
  INFO(done.err);
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "/linux/resources/blockIO/throttleReadBpsDevice/0"));
  CHECK(c.file("memory", "memory.limit_in_bytes", "memory.max") == memory);
  CHECK(c.hull.cgroup_file("pids", "pids.max") == "10");
  CHECK(c.file("cpu", "cpu.shares", "cpu.weight") == shares);
  if (exists(c.path("cpu", in_cgroup_v2("cpu") ? "cpu.max" : "cpu.cfs_quota_us")))
    CHECK(c.file("cpu", "cpu.cfs_quota_us", "cpu.max") ==
          (in_cgroup_v2("cpu") ? "max 100000" : "-1"));
  CHECK(c.state_file() == before);
}

TEST_CASE("memory and swap reach every target in one update", "[F3][B39]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  Sleeper c(Json{{"memory", {{"limit", 64 * kMiB}}}});
  const bool v2 = in_cgroup_v2("memory");
  if (!exists(c.path("memory", v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes")))
    HULL_SKIP("the kernel does not count swap");
  const std::string none = v2 ? "max" : "9223372036854771712";
  const int64_t targets[][2] = {{64, 96},   {128, 256}, {16, 16},   {32, 256}, {256, 256},
                                {512, -1},  {16, 32},   {-1, -1},   {64, 64},  {-1, -1},
                                {128, 512}, {512, 512}, {128, 129}, {200, -1}, {8, 9}};
  for (const auto& [limit, both] : targets) {
    INFO(limit << " MiB, together " << both);
    const auto text = [](int64_t number) {
      return number < 0 ? "-1" : std::to_string(number) + "m";
    };
    const Outcome done = c.update({"--memory", text(limit), "--memory-swap", text(both)});
    INFO(done.err);
    CHECK(done.exit_code == 0);
    CHECK(c.file("memory", "memory.limit_in_bytes", "memory.max") ==
          (limit < 0 ? none : mib(limit)));
    CHECK(c.file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") ==
          (both < 0 ? none : mib(v2 ? both - limit : both)));
  }
}

TEST_CASE("no limit on memory is none on memory and swap", "[F3][B40]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  Sleeper c(Json{{"memory", {{"limit", 64 * kMiB}, {"swap", 96 * kMiB}}}});
  CHECK(c.update({"--memory", "-1"}).exit_code == 0);
  const std::string none = in_cgroup_v2("memory") ? "max" : "9223372036854771712";
  CHECK(c.file("memory", "memory.limit_in_bytes", "memory.max") == none);
  if (exists(c.path("memory",
                    in_cgroup_v2("memory") ? "memory.swap.max" : "memory.memsw.limit_in_bytes")))
    CHECK(c.file("memory", "memory.memsw.limit_in_bytes", "memory.swap.max") == none);
  CHECK(c.saved()["memory_swap"] == -1);
}

TEST_CASE("update leaves the device rules alone", "[B42]") {
  Sleeper c;
  const Json all{{"devices", {{{"allow", true}, {"access", "rwm"}}}}, {"pids", {{"limit", 30}}}};
  const Json rules = c.saved()["devices"];
  const std::string list =
      in_cgroup_v2("devices") ? "" : c.hull.cgroup_file("devices", "devices.list");
  CHECK(c.update({"--resources", "-"}, all.dump()).exit_code == 0);
  CHECK(c.saved()["devices"] == rules);
  if (!in_cgroup_v2("devices")) CHECK(c.hull.cgroup_file("devices", "devices.list") == list);
}

TEST_CASE("update does not freeze the container", "[B39]") {
  if (!has_controller("pids")) HULL_SKIP("no pids controller");
  Sleeper c;
  const Fd watch(inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  int files = 0;
  for (const std::string& file :
       {cgroup_of(c.hull.pid(), "freezer") + "/freezer.state",
        cgroup_of(c.hull.pid(), in_cgroup_v2("freezer") ? "pids" : "") + "/cgroup.freeze"})
    if (inotify_add_watch(watch.get(), file.c_str(), IN_OPEN) >= 0) ++files;
  REQUIRE(files > 0);
  CHECK(c.update({"--pids-limit", "30"}).exit_code == 0);
  char event[512];
  CHECK(read(watch.get(), event, sizeof event) < 0);
  CHECK(errno == EAGAIN);
  // The watch does work.
  CHECK(c.hull.command({"pause", c.hull.id()}).exit_code == 0);
  CHECK(read(watch.get(), event, sizeof event) > 0);
}

TEST_CASE("update takes a file of limits", "[B39][B41]") {
  if (!has_controller("pids")) HULL_SKIP("no pids controller");
  Sleeper c;
  write_file(c.bundle.dir() + "/limits.json", R"({"pids":{"limit":44}})");
  CHECK(c.update({"-r", c.bundle.dir() + "/limits.json"}).exit_code == 0);
  CHECK(c.hull.cgroup_file("pids", "pids.max") == "44");
}

TEST_CASE("wrong limits and stopped containers are refused", "[B39]") {
  Sleeper c;
  for (const std::vector<std::string>& flags : {std::vector<std::string>{"--memory", "12x"},
                                                {"--cpu-idle", "2"},
                                                {"--cpu-quota", "abc"},
                                                {"--blkio-weight", "5"},
                                                {"--resources", "/nonesuch"}}) {
    const Outcome done = c.update(flags);
    INFO(flags[0] << ": " << done.err);
    CHECK(done.exit_code == 1);
    CHECK_FALSE(done.err.empty());
  }
  CHECK(c.update({"--resources", "-"}, "{\"memory\":").exit_code == 1);
  CHECK(c.hull.kill().exit_code == 0);
  REQUIRE(c.hull.reaches("stopped"));
  const Outcome done = c.update({"--pids-limit", "30"});
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "container not running"));
}

}  // namespace hull::conformance

// `events`: statistics in runc's form, and one event for each process that is killed for lack of
// memory.
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

constexpr int64_t kMiB = 1 << 20;

// A shell that takes 64 MiB when a file is there: busybox keeps what it reads in one piece.
constexpr char kHog[] = "x=$(dd if=/dev/zero bs=1M count=64 2>/dev/null | tr '\\0' x)";

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> out;
  for (const std::string_view line : split(trim(text), '\n'))
    if (!line.empty()) out.push_back(Json::parse(line));
  return out;
}

size_t count_of(const std::string& text, const std::string& type) {
  size_t count = 0;
  for (const Json& event : lines_of(text))
    if (event["type"] == type) ++count;
  return count;
}

Json stats_of(const Hull& hull) {
  const Outcome done = hull.command({"events", "--stats", hull.id()});
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const auto lines = lines_of(done.out);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0]["type"] == "stats");
  CHECK(lines[0]["id"] == hull.id());
  return lines[0]["data"];
}

// As the kernel counts them.
size_t oom_kills(const Hull& hull) {
  const std::string text =
      hull.cgroup_file("memory", in_cgroup_v2("memory") ? "memory.events" : "memory.oom_control");
  const size_t at = text.find("oom_kill ");
  REQUIRE(at != std::string::npos);
  return std::stoul(text.substr(at + 9));
}

void limit_memory(Bundle& bundle, int64_t mib) {
  bundle.config["linux"]["resources"]["memory"] = {{"limit", mib * kMiB}, {"swap", mib * kMiB}};
}

bool counts_swap() {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  return exists(cgroup_of(hull.pid(), "memory") +
                (in_cgroup_v2("memory") ? "/memory.swap.max" : "/memory.memsw.limit_in_bytes"));
}

}  // namespace

TEST_CASE("events --stats prints one line with runc's keys", "[B37][C5][L12]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Json stats = stats_of(hull);
  for (const char* key :
       {"cpu", "cpuset", "memory", "pids", "blkio", "hugetlb", "intel_rdt", "network_interfaces"}) {
    INFO(key);
    CHECK(stats.contains(key));
  }
  CHECK(stats["cpu"]["usage"].contains("kernel"));
  CHECK(stats["cpu"]["usage"]["total"].get<uint64_t>() > 0);
  if (has_controller("memory")) {
    CHECK(stats["memory"]["usage"]["usage"].get<uint64_t>() > 0);
    CHECK(stats["memory"]["raw"].size() > 10);
    for (const char* key : {"usage", "swap", "kernel", "kernelTCP"})
      CHECK(stats["memory"][key].contains("failcnt"));
  }
  if (has_controller("pids")) CHECK(stats["pids"]["current"] == 1);
  if (has_controller("cpuset") && !in_cgroup_v2("cpuset"))
    CHECK_FALSE(stats["cpuset"]["cpus"].empty());
}

TEST_CASE("statistics show the limits", "[C5]") {
  if (!has_controller("memory") || !has_controller("pids")) HULL_SKIP("no memory or pids");
  Bundle bundle;
  bundle.config["linux"]["resources"]["memory"] = {{"limit", 64 * kMiB}};
  bundle.config["linux"]["resources"]["pids"] = {{"limit", 40}};
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  const Json stats = stats_of(hull);
  CHECK(stats["memory"]["usage"]["limit"] == 64 * kMiB);
  CHECK(stats["pids"]["limit"] == 40);
}

TEST_CASE("statistics hold pressure, memory events and peaks where the kernel has them",
          "[C6][C7]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  const Json stats = stats_of(hull);
  CHECK(stats["memory"]["events"].contains("oom_kill"));
  const std::string unified = cgroup_of(hull.pid(), "");
  for (const auto& [file, key] : {std::pair{"cpu.pressure", "cpu"},
                                  {"memory.pressure", "memory"},
                                  {"io.pressure", "blkio"}}) {
    if (!exists(unified + "/" + file)) continue;
    INFO(file);
    for (const char* line : {"some", "full"})
      for (const char* number : {"avg10", "avg60", "avg300", "total"})
        CHECK(stats[key]["psi"][line].contains(number));
  }
  if (exists(unified + "/memory.peak")) CHECK(stats["memory"]["usage"]["max"] > 0);
}

TEST_CASE("events prints statistics at every interval, and ends with the container", "[B37]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  Process events(hull.argv({"events", "--interval", "50ms", hull.id()}));
  CHECK(eventually([&] { return count_of(events.out(), "stats") >= 3; }));
  CHECK(hull.kill().exit_code == 0);
  const Outcome done = events.wait();
  INFO(done.err);
  CHECK(done.exit_code == 0);
  CHECK(count_of(done.out, "oom") == 0);
}

TEST_CASE("events refuses wrong intervals, and containers that are not running", "[B37]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  for (const char* interval : {"0s", "-1s", "5", "abc"})
    CHECK(hull.command({"events", "--interval", interval, hull.id()}).exit_code == 1);
  CHECK(contains(hull.command({"events", "--interval", "0s", hull.id()}).err,
                 "duration interval must be greater than 0"));
  REQUIRE(hull.kill().exit_code == 0);
  REQUIRE(hull.reaches("stopped"));
  const Outcome done = hull.command({"events", "--stats", hull.id()});
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "container with id " + hull.id() + " is not running"));
}

TEST_CASE("a container that is killed for lack of memory is one event", "[C8][B37][users-ask-18]") {
  if (by_systemd()) HULL_SKIP("systemd takes the cgroup away at once, and its count of kills");
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  if (!counts_swap()) HULL_SKIP("the kernel does not count swap");
  Bundle bundle;
  limit_memory(bundle, 16);
  bundle.script("while [ ! -e /go ]; do sleep 0.01; done; " + std::string(kHog));
  Hull hull(bundle);
  hull.launch();
  Process events(hull.argv({"events", "--interval", "50ms", hull.id()}));
  REQUIRE(eventually([&] { return count_of(events.out(), "stats") > 0; }));
  write_file(bundle.rootfs("/go"), "");
  const Outcome done = events.wait();
  INFO(done.out << done.err);
  CHECK(done.exit_code == 0);
  CHECK(count_of(done.out, "oom") == 1);
  CHECK(hull.reaches("stopped"));
}

TEST_CASE("each process that is killed for lack of memory is one event", "[C8][users-ask-18]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  if (!counts_swap()) HULL_SKIP("the kernel does not count swap");
  Bundle bundle;
  limit_memory(bundle, 16);
  bundle.script("while [ ! -e /go ]; do sleep 0.01; done; for i in 1 2 3 4 5; do sh -c \"" +
                std::string("x=\\$(dd if=/dev/zero bs=1M count=64 2>/dev/null | tr '\\\\0' x)") +
                "\"; echo $? >> /killed; done; sleep 100");
  Hull hull(bundle);
  hull.launch();
  Process events(hull.argv({"events", "--interval", "50ms", hull.id()}));
  REQUIRE(eventually([&] { return count_of(events.out(), "stats") > 0; }));
  write_file(bundle.rootfs("/go"), "");
  REQUIRE(eventually([&] { return bundle.read("rootfs/killed") == "137\n137\n137\n137\n137\n"; },
                     std::chrono::milliseconds(60'000)));
  // The kernel may end more than the shells.
  const size_t kills = oom_kills(hull);
  CHECK(kills >= 5);
  CHECK(eventually([&] { return count_of(events.out(), "oom") == kills; }));
  CHECK(hull.status() == "running");
  CHECK(hull.kill().exit_code == 0);
  CHECK(count_of(events.wait().out, "oom") == kills);
}

TEST_CASE("100 containers killed for lack of memory are 100 events", "[.][slow][C8]") {
  if (!has_controller("memory")) HULL_SKIP("no memory controller");
  if (!counts_swap()) HULL_SKIP("the kernel does not count swap");
  size_t killed = 0;
  size_t told = 0;
  for (int round = 0; round < 100; ++round) {
    Bundle bundle;
    limit_memory(bundle, 16);
    bundle.script("while [ ! -e /go ]; do sleep 0.01; done; " + std::string(kHog));
    Hull hull(bundle);
    hull.launch();
    Process events(hull.argv({"events", "--interval", "50ms", hull.id()}));
    REQUIRE(eventually([&] { return count_of(events.out(), "stats") > 0; }));
    write_file(bundle.rootfs("/go"), "");
    told += count_of(events.wait().out, "oom");
    if (hull.reaches("stopped")) ++killed;
  }
  CHECK(killed == 100);
  CHECK(told == 100);
}

}  // namespace hull::conformance

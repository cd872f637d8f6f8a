// Namespaces: new, joined, inherited, wrong; what needs one.
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

struct Kind {
  const char* type;  // of config.json
  const char* file;  // of /proc/PID/ns
};
constexpr std::array<Kind, 5> kJoinable = {
    {{"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}, {"cgroup", "cgroup"}, {"pid", "pid"}}};

std::string link_of(const std::string& path) {
  std::array<char, PATH_MAX> target{};
  return readlink(path.c_str(), target.data(), target.size() - 1) < 0 ? "" : target.data();
}

std::string ns_of(pid_t pid, const char* file) {
  return link_of("/proc/" + std::to_string(pid) + "/ns/" + file);
}

// A kernel can be built without (user-mode-linux is).
bool has_time_namespaces() { return exists("/proc/self/ns/time"); }

}  // namespace

TEST_CASE("every type of namespace can be new", "[E1]") {
  if (!has_time_namespaces()) HULL_SKIP("the kernel has no time namespaces");
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  for (const char* type : {"cgroup", "time"}) bundle.name_space(type);
  bundle.user_namespace();
  Hull hull(bundle);
  hull.launch();
  const pid_t pid = hull.pid();
  for (const char* file : {"mnt", "uts", "ipc", "user", "pid", "net", "cgroup", "time"}) {
    INFO(file);
    CHECK_FALSE(ns_of(pid, file).empty());
    CHECK(ns_of(pid, file) != ns_of(getpid(), file));
  }
}

TEST_CASE("a namespace that is not listed is the runtime's own", "[E4]") {
  Bundle bundle;
  bundle.config["linux"]["namespaces"] = {{{"type", "mount"}}};
  bundle.config.erase("hostname");
  bundle.mount_at("/sys") = {
      {"destination", "/sys"}, {"type", "bind"}, {"source", "/sys"}, {"options", {"rbind", "ro"}}};
  bundle.remove_mount("/dev/mqueue");
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  for (const char* file : {"uts", "ipc", "user", "pid", "net", "cgroup", "time"}) {
    INFO(file);
    CHECK(ns_of(hull.pid(), file) == ns_of(getpid(), file));
  }
  CHECK(ns_of(hull.pid(), "mnt") != ns_of(getpid(), "mnt"));
}

TEST_CASE("a container can join another's namespaces by path", "[E2]") {
  Bundle first;
  first.name_space("cgroup");
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  const std::string proc = "/proc/" + std::to_string(hull.pid()) + "/ns/";
  for (const Kind& kind : kJoinable) {
    INFO(kind.type);
    Bundle second;
    second.name_space(kind.type)["path"] = proc + kind.file;
    if (std::string(kind.type) == "uts") second.config.erase("hostname");
    second.args({"/bin/sleep", "100"});
    Hull joined(second);
    joined.launch();
    CHECK(ns_of(joined.pid(), kind.file) == ns_of(hull.pid(), kind.file));
    CHECK(ns_of(joined.pid(), "mnt") != ns_of(hull.pid(), "mnt"));
    if (std::string(kind.type) == "pid") CHECK(joined.inside("ps | grep -c '[s]leep 100'") == "2");
  }
}

TEST_CASE("a namespace file of the wrong type, a missing one, or none at all is refused", "[E2]") {
  const std::vector<std::pair<std::string, std::string>> cases = {{"network", "/proc/self/ns/uts"},
                                                                  {"ipc", "/no/such/file"},
                                                                  {"uts", "/etc/passwd"},
                                                                  {"pid", "relative/path"}};
  for (const auto& [type, path] : cases) {
    Bundle bundle;
    bundle.name_space(type)["path"] = path;
    if (type == "uts") bundle.config.erase("hostname");
    const std::string error = refusal_of(bundle);
    INFO(error);
    CHECK(contains(error, path));
  }
}

TEST_CASE("a namespace listed twice or of an unknown type is refused", "[E3][D3]") {
  Bundle bundle;
  bundle.config["linux"]["namespaces"].push_back({{"type", "uts"}});
  CHECK_FALSE(refusal_of(bundle).empty());
  bundle.config["linux"]["namespaces"].back() = {{"type", "nosuch"}};
  CHECK(contains(refusal_of(bundle), "nosuch"));
}

TEST_CASE("hostname and domainname are set", "[D42]") {
  Bundle bundle;
  bundle.config["hostname"] = "some-host";
  bundle.config["domainname"] = "some.domain";
  CHECK(output_of(bundle, "hostname; cat /proc/sys/kernel/domainname") == "some-host\nsome.domain");
}

TEST_CASE("hostname and domainname need a uts namespace of the container", "[D42]") {
  const std::string before = read_file("/proc/sys/kernel/hostname");
  for (const char* key : {"hostname", "domainname"}) {
    Bundle bundle;
    bundle.config.erase("hostname");
    bundle.config[key] = "evil";
    bundle.remove_name_space("uts");
    CHECK(contains(refusal_of(bundle), key));
  }
  CHECK(read_file("/proc/sys/kernel/hostname") == before);
}

TEST_CASE("the loopback device of a new network namespace is up", "[E1]") {
  Bundle bundle;
  CHECK(output_of(bundle,
                  "ls /sys/class/net | head -n 1; ip addr show lo | grep -c 'inet 127.0.0.1/8'; "
                  "ping -c 1 127.0.0.1 >/dev/null 2>&1 || cat /sys/class/net/lo/flags") ==
        "lo\n1\n0x9");
}

TEST_CASE("a new pid namespace begins with the program as pid 1", "[E1]") {
  Bundle bundle;
  CHECK(output_of(bundle, "echo $$; set -- /proc/[0-9]*; echo $#") == "1\n1");
}

TEST_CASE("a cgroup namespace hides where the container's cgroup is", "[E1]") {
  Bundle bundle;
  bundle.name_space("cgroup");
  CHECK(output_of(bundle, "grep -v ':/$' /proc/self/cgroup; exit 0").empty());
  bundle.remove_name_space("cgroup");
  CHECK(contains(output_of(bundle, "cat /proc/self/cgroup"), bundle.mark()));
}

TEST_CASE("time offsets move the container's clocks, for exec too", "[E8]") {
  if (!has_time_namespaces()) HULL_SKIP("the kernel has no time namespaces");
  Bundle bundle;
  bundle.name_space("time");
  bundle.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", 1'000'000}}},
                                           {"monotonic", {{"secs", 500'000}, {"nanosecs", 5}}}};
  bundle.script("echo $$; cat /proc/self/timens_offsets; exec sleep 100");
  SECTION("in the host's user namespace") {}
  SECTION("in a user namespace") { bundle.user_namespace(); }
  Hull hull(bundle);
  hull.launch();
  CHECK(read_file("/proc/" + std::to_string(hull.pid()) + "/timens_offsets") ==
        "monotonic      500000         5\nboottime      1000000         0\n");
  CHECK(std::stol(hull.inside("cut -d. -f1 /proc/uptime")) > 1'000'000);
  CHECK(contains(hull.inside("cat /proc/1/timens_offsets"), "boottime      1000000         0"));
  CHECK(hull.inside("cat /proc/1/comm") == "sleep");
  CHECK(ns_of(hull.pid(), "time") != ns_of(getpid(), "time"));
  CHECK(ns_of(hull.pid(), "time") == ns_of(hull.pid(), "time_for_children"));
}

TEST_CASE("a time namespace can be joined with its offsets", "[E1][E8]") {
  if (!has_time_namespaces()) HULL_SKIP("the kernel has no time namespaces");
  Bundle first;
  first.name_space("time");
  first.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", 2'000'000}}}};
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  Bundle second;
  second.name_space("time")["path"] = "/proc/" + std::to_string(hull.pid()) + "/ns/time";
  CHECK(std::stol(output_of(second, "cut -d. -f1 /proc/uptime")) > 2'000'000);
}

TEST_CASE("offsets that no clock can have, or without a new time namespace, are refused", "[E8]") {
  if (!has_time_namespaces()) HULL_SKIP("the kernel has no time namespaces");
  Bundle bundle;
  bundle.name_space("time");
  bundle.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", -4'000'000'000}}}};
  const std::string negative = refusal_of(bundle);
  INFO(negative);
  CHECK(contains(negative, "/linux/timeOffsets"));
  CHECK(contains(negative, "a clock would be negative"));
  bundle.config["linux"]["timeOffsets"] = {{"boottime", {{"nanosecs", 1'000'000'000}}}};
  CHECK(contains(refusal_of(bundle), "/linux/timeOffsets/boottime/nanosecs"));
  bundle.remove_name_space("time");
  bundle.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", 1}}}};
  CHECK(contains(refusal_of(bundle), "time namespace"));
}

TEST_CASE("a type of namespaces that the kernel lacks is named", "[E1][E8]") {
  if (has_time_namespaces()) HULL_SKIP("the kernel has all types of namespaces");
  Bundle bundle;
  bundle.name_space("time");
  SECTION("without offsets") {}
  SECTION("with offsets") { bundle.config["linux"]["timeOffsets"] = {{"boottime", {{"secs", 1}}}}; }
  const std::string refused = refusal_of(bundle);
  CHECK(contains(refused, "/linux/namespaces"));
  CHECK(contains(refused, "this kernel has no time namespaces"));
}

TEST_CASE("the recorded pid is the host's although user and pid namespace are joined", "[E2]") {
  Bundle first;
  first.user_namespace();
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  const std::string proc = "/proc/" + std::to_string(hull.pid()) + "/ns/";
  Bundle second;
  second.user_namespace();
  second.config["linux"].erase("uidMappings");
  second.config["linux"].erase("gidMappings");
  second.name_space("user")["path"] = proc + "user";
  second.name_space("pid")["path"] = proc + "pid";
  second.args({"/bin/sleep", "101"});
  Hull joined(second);
  joined.launch();
  CHECK(ns_of(joined.pid(), "pid") == ns_of(hull.pid(), "pid"));
  CHECK(joined.inside("ps | grep -c '[s]leep 10'") == "2");
}

TEST_CASE("sysctls of the container's namespaces are set", "[E21]") {
  Bundle bundle;
  const std::string before =
      read_file("/proc/sys/kernel/shmmni") + read_file("/proc/sys/net/ipv4/ip_forward");
  bundle.config["linux"]["sysctl"] = {{"kernel.shmmni", "1234"},
                                      {"net.ipv4.ip_forward", "1"},
                                      {"net/ipv4/tcp_syncookies", "0"},
                                      {"fs.mqueue.queues_max", "77"},
                                      {"kernel.domainname", "some.domain"}};
  CHECK(output_of(bundle,
                  "cd /proc/sys; cat kernel/shmmni net/ipv4/ip_forward net/ipv4/tcp_syncookies"
                  " fs/mqueue/queues_max kernel/domainname") == "1234\n1\n0\n77\nsome.domain");
  CHECK(read_file("/proc/sys/kernel/shmmni") + read_file("/proc/sys/net/ipv4/ip_forward") ==
        before);
}

TEST_CASE("a sysctl that would change the host is refused", "[E21]") {
  for (const auto& [key, name_space] :
       std::vector<std::pair<std::string, std::string>>{{"kernel.printk", ""},
                                                        {"vm.swappiness", ""},
                                                        {"kernel.hostname", ""},
                                                        {"net.ipv4.ip_forward", "network"},
                                                        {"kernel.shmmni", "ipc"},
                                                        {"kernel.domainname", "uts"}}) {
    Bundle bundle;
    bundle.config["linux"]["sysctl"] = {{key, "1"}};
    if (!name_space.empty()) bundle.remove_name_space(name_space);
    if (name_space == "uts") bundle.config.erase("hostname");
    const std::string error = refusal_of(bundle);
    INFO(error);
    CHECK(contains(error, key));
  }
}

TEST_CASE("an unknown sysctl is an error that names it", "[E21]") {
  Bundle bundle;
  bundle.config["linux"]["sysctl"] = {{"net.ipv4.no_such_key", "1"}};
  CHECK(contains(refusal_of(bundle), "no_such_key"));
}

}  // namespace hull::conformance

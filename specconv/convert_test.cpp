#include "specconv/convert.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "specconv/host_checks.h"
#include "specconv/mount_options.h"
#include "specconv/parse.h"

namespace {

using hull::configs::Config;
using hull::specconv::apply_options;
using hull::specconv::convert;
using hull::specconv::cpu_weight;
using hull::specconv::Options;
using hull::specconv::parse;
using hull::specconv::parse_process;
using hull::specconv::parse_resources;

Options options() {
  Options out;
  out.id = "c1";
  out.bundle = "/b";
  return out;
}

Config of(const std::string& members, const Options& with = options()) {
  return convert(parse(R"({"ociVersion":"1.0.2","root":{"path":"rootfs"})" +
                       (members.empty() ? "" : "," + members) + "}"),
                 with);
}

std::string error_of(const std::string& members, const Options& with = options()) {
  try {
    (void)of(members, with);
  } catch (const hull::Error& e) {
    return e.what();
  }
  return "no error";
}

std::string rule_text(const hull::configs::DeviceRule& rule) {
  return std::string(rule.allow ? "+" : "-") + rule.type + " " + std::to_string(rule.major) + ":" +
         std::to_string(rule.minor) + " " + rule.permissions;
}

// A bundle in a directory of its own.
class Bundle {
 public:
  Bundle() {
    char name[] = "/tmp/hull-specconv-XXXXXX";
    if (mkdtemp(name) == nullptr) throw hull::Error("mkdtemp");
    path_ = name;
  }
  ~Bundle() {
    for (const char* name : {"/rootfs", "/file", "/link/x", "/real/x", "/link", "/real"}) {
      unlink((path_ + name).c_str());
      rmdir((path_ + name).c_str());
    }
    rmdir(path_.c_str());
  }
  [[nodiscard]] std::string error_of(const std::string& root) const {
    hull::specconv::Spec spec;
    spec.root.path = root;
    try {
      hull::specconv::check_host(spec, path_);
    } catch (const hull::Error& e) {
      return e.what();
    }
    return "ok";
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace

TEST_CASE("mount options become flags, changes of propagation and data", "[specconv]") {
  hull::configs::Mount mount;
  apply_options({"nosuid", "dev", "ro", "rw", "rslave", "private", "size=1k", "", "mode=7", "rro",
                 "rnoatime", "rsuid", "tmpcopyup"},
                mount);
  CHECK(mount.flags == MS_NOSUID);
  CHECK(mount.clear_flags == (MS_NODEV | MS_RDONLY));
  CHECK(mount.propagation == std::vector<uint64_t>{MS_SLAVE | MS_REC, MS_PRIVATE});
  CHECK(mount.data == "size=1k,mode=7");
  CHECK(mount.recursive_set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOATIME));
  CHECK(mount.recursive_clear == (MOUNT_ATTR_NOSUID | MOUNT_ATTR__ATIME));
  CHECK(mount.copy_up);
}

TEST_CASE("of two mount options that contradict the later one holds", "[specconv]") {
  hull::configs::Mount mount;
  apply_options({"rro", "rrw", "rexec", "rnoexec", "rnoatime", "rstrictatime"}, mount);
  CHECK(mount.recursive_set == (MOUNT_ATTR_NOEXEC | MOUNT_ATTR_STRICTATIME));
  CHECK(mount.recursive_clear == (MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME));
}

TEST_CASE("access time modes of a tree clear the old mode first", "[specconv]") {
  const struct {
    const char* option;
    uint64_t set, clear;
  } cases[] = {{"rrelatime", 0, MOUNT_ATTR__ATIME},
               {"ratime", 0, MOUNT_ATTR__ATIME},
               {"rnostrictatime", 0, MOUNT_ATTR__ATIME},
               {"rstrictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
               {"rnorelatime", 0, 0}};
  for (const auto& one : cases) {
    hull::configs::Mount mount;
    apply_options({one.option}, mount);
    CHECK(mount.recursive_set == one.set);
    CHECK(mount.recursive_clear == one.clear);
  }
}

TEST_CASE("paths of the host are relative to the bundle", "[specconv]") {
  const Config config = of(R"("mounts":[
    {"destination":"a/../b","type":"none","source":"x/../y","options":["rbind"]},
    {"destination":"/c","type":"bind","source":"/s"},
    {"destination":"/d","type":"tmpfs","source":"tmpfs"}])");
  CHECK(config.rootfs == "/b/rootfs");
  CHECK(config.mounts.at(0).destination == "/b");
  CHECK(config.mounts.at(0).source == "/b/y");
  CHECK(config.mounts.at(0).type == "bind");
  CHECK(config.mounts.at(0).flags == (MS_BIND | MS_REC));
  CHECK(config.mounts.at(1).flags == MS_BIND);
  CHECK(config.mounts.at(1).source == "/s");
  CHECK(config.mounts.at(2).source == "tmpfs");
}

TEST_CASE("labels hold the bundle first, then the annotations", "[specconv]") {
  CHECK(of(R"("annotations":{"b":"1","a":"2=3","bundle":"/evil"})").labels ==
        std::vector<std::string>{"bundle=/b", "a=2=3", "b=1", "bundle=/evil"});
}

TEST_CASE("default device rules follow the user's", "[specconv]") {
  const Config config = of(R"("linux":{"resources":{"devices":[{"allow":false,"access":"rwm"}]}})");
  std::vector<std::string> rules;
  for (const auto& rule : config.cgroup.resources.devices) rules.push_back(rule_text(rule));
  CHECK(rules == std::vector<std::string>{"-a -1:-1 rwm", "+c -1:-1 m", "+b -1:-1 m", "+c 1:3 rwm",
                                          "+c 1:8 rwm", "+c 1:7 rwm", "+c 5:0 rwm", "+c 1:5 rwm",
                                          "+c 1:9 rwm", "+c 136:-1 rwm", "+c 5:2 rwm",
                                          "+c 10:200 rwm"});
  CHECK(config.devices.size() == 6);
  CHECK(config.devices.at(0).path == "/dev/null");
  CHECK(config.devices.at(0).file_mode == 0666);
}

TEST_CASE("a device of the user replaces the default one, rule and all", "[specconv]") {
  const Config config = of(
      R"("linux":{"devices":[{"path":"/dev/full","type":"u","major":1,"minor":7,"fileMode":8576,"uid":3}]})");
  const auto& rules = config.cgroup.resources.devices;
  CHECK(std::none_of(rules.begin(), rules.end(),
                     [](const auto& rule) { return rule.major == 1 && rule.minor == 7; }));
  CHECK(config.devices.size() == 6);
  CHECK(config.devices.back().path == "/dev/full");
  CHECK(config.devices.back().type == 'c');
  CHECK(config.devices.back().file_mode == 0600);
  CHECK(config.devices.back().uid == 3);
}

TEST_CASE("in a user namespace its root owns the devices", "[specconv]") {
  const Config config = of(R"("linux":{"namespaces":[{"type":"user"}],
    "uidMappings":[{"containerID":1,"hostID":5,"size":9},{"containerID":0,"hostID":100000,"size":1}],
    "gidMappings":[{"containerID":0,"hostID":200000,"size":1}]})");
  CHECK(config.devices.at(0).uid == 100000);
  CHECK(config.devices.at(0).gid == 200000);
}

TEST_CASE("cgroup paths are cleaned as runc does", "[specconv]") {
  const auto path = [](const std::string& text) {
    return of(R"("linux":{"cgroupsPath":")" + text + "\"}").cgroup.path;
  };
  CHECK(path("/a//b/../c/") == "/a/c");
  CHECK(path("../../a") == "a");
  CHECK(path("/../a") == "/a");
  CHECK(of("").cgroup.name == "c1");
  CHECK(of("").cgroup.path.empty());
  CHECK(error_of(R"("linux":{"cgroupsPath":"/"})").ends_with("(/linux/cgroupsPath)"));
  CHECK(error_of(R"("linux":{"cgroupsPath":"a/.."})").ends_with("(/linux/cgroupsPath)"));
}

TEST_CASE("with systemd cgroupsPath is slice:prefix:name", "[specconv]") {
  Options with = options();
  with.systemd_cgroup = true;
  const Config config = of(R"("linux":{"cgroupsPath":"s.slice:p:n"})", with);
  CHECK(config.cgroup.parent == "s.slice");
  CHECK(config.cgroup.scope_prefix == "p");
  CHECK(config.cgroup.name == "n");
  CHECK(of("", with).cgroup.scope_prefix == "hull");
  CHECK(
      error_of(R"("linux":{"cgroupsPath":"/a"})", with) ==
      "expected cgroupsPath to be of format \"slice:prefix:name\" for systemd cgroups, got \"/a\" "
      "instead (/linux/cgroupsPath)");
}

TEST_CASE("limits are converted", "[specconv]") {
  const auto resources =
      of(R"("linux":{"resources":{"pids":{"limit":-7},"memory":{"limit":5,"swap":-1},
    "cpu":{"shares":1024,"cpus":"0"},"blockIO":{"weight":10},"unified":{"a.b":"c"}}})")
          .cgroup.resources;
  CHECK(resources.pids_limit == -1);
  CHECK(resources.memory == 5);
  CHECK(resources.memory_swap == -1);
  CHECK(resources.cpu_shares == 1024);
  CHECK(resources.cpu_weight == 100);
  CHECK(resources.cpuset_cpus == "0");
  CHECK(resources.unified.at("a.b") == "c");
}

TEST_CASE("shares become the weights that other runtimes give", "[specconv]") {
  const uint64_t table[][2] = {{0, 0},    {1, 1},      {2, 1},          {3, 2},
                               {512, 59}, {1024, 100}, {262144, 10000}, {UINT64_MAX, 10000}};
  for (const auto& [shares, weight] : table) CHECK(cpu_weight(shares) == weight);
}

TEST_CASE("seccomp rules are one call each", "[specconv]") {
  const Config config = of(R"("linux":{"seccomp":{"defaultAction":"SCMP_ACT_ERRNO",
    "architectures":["SCMP_ARCH_X86_64","SCMP_ARCH_X32"],
    "syscalls":[{"names":["a","b"],"action":"SCMP_ACT_TRACE","errnoRet":7}]}})");
  REQUIRE(config.seccomp);
  CHECK(config.seccomp->architectures == std::vector<std::string>{"amd64", "x32"});
  CHECK_FALSE(config.seccomp->flags_given);
  REQUIRE(config.seccomp->calls.size() == 2);
  CHECK(config.seccomp->calls[1].name == "b");
  CHECK(config.seccomp->calls[1].errno_ret == 7U);
}

TEST_CASE("hooks of the runtime's namespaces run in the bundle", "[specconv]") {
  const Config config = of(
      R"("hooks":{"prestart":[{"path":"/p","args":["p"],"timeout":2}],"startContainer":[{"path":"/s"}]})");
  CHECK(config.hooks.prestart.at(0).dir == "/b");
  CHECK(config.hooks.prestart.at(0).timeout_ns == 2'000'000'000);
  CHECK(config.hooks.start_container.at(0).dir.empty());
  CHECK_FALSE(config.hooks.start_container.at(0).timeout_ns);
}

TEST_CASE("kernel parameters with slashes become their path", "[specconv]") {
  const Config config =
      of(R"("linux":{"sysctl":{"net.ipv4.conf.eth0/1.x":"1","net.core.somaxconn":"2"}})");
  CHECK(config.sysctl.at("net/ipv4/conf/eth0.1/x") == "1");
  CHECK(config.sysctl.at("net.core.somaxconn") == "2");
}

TEST_CASE("a cgroup that is mounted read-write in a new namespace is the user's", "[specconv]") {
  const std::string user =
      R"("process":{"cwd":"/","args":["a"],"user":{"uid":7,"gid":7}},"linux":{"namespaces":[{"type":"mount"})";
  const std::string maps =
      R"(,{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1000,"size":10}],"gidMappings":[{"containerID":0,"hostID":1,"size":1}]})";
  const std::string cgroup = R"(,{"type":"cgroup"})";
  const auto owner = [&](const std::string& linux_part, const std::string& mount) {
    return of(linux_part + R"(,"mounts":[{"destination":"/sys/fs/cgroup/",)" + mount + "}]")
        .cgroup.owner_uid;
  };
  const std::string writable = R"("type":"cgroup","source":"c")";
  CHECK(owner(user + cgroup + maps, writable) == 1007);
  CHECK(owner(user + cgroup + "]}", writable) == 7);
  CHECK_FALSE(owner(user + maps, writable));
  CHECK_FALSE(owner(user + cgroup + maps, writable + R"(,"options":["ro"])"));
  CHECK_FALSE(owner(user + cgroup + maps, R"("type":"bind","source":"/sys/fs/cgroup")"));
  CHECK_FALSE(owner(user + R"(,{"type":"cgroup","path":"/proc/1/ns/cgroup"})" + maps, writable));
}

TEST_CASE("what the command line rules out is refused", "[specconv]") {
  Options with = options();
  with.no_pivot = true;
  CHECK(error_of(R"("linux":{"rootfsPropagation":"rprivate"})", with)
            .ends_with("(/linux/rootfsPropagation)"));
  with = options();
  with.rootless_cgroups = true;
  CHECK(error_of("", with) == "no error");  // root in somebody's user namespace
  with.rootless_euid = true;
  CHECK(error_of("", with).starts_with("rootless container requires user namespaces"));
}

TEST_CASE("a rootless container's mounts have IDs of its own only", "[specconv]") {
  Options with = options();
  with.rootless_euid = with.rootless_cgroups = true;
  const std::string maps =
      R"("linux":{"namespaces":[{"type":"mount"},{"type":"user"}],"uidMappings":[{"containerID":0,"hostID":1000,"size":1}],"gidMappings":[{"containerID":0,"hostID":1000,"size":6}]},)";
  const auto error = [&](const std::string& mount) {
    return error_of(maps + R"("mounts":[{"destination":"/m",)" + mount + "}]", with);
  };
  CHECK(error(R"("type":"tmpfs","options":["uid=0","gid=5","size=1k"])") == "no error");
  CHECK(error(R"("type":"tmpfs","options":["size=1k","uid=1"])") ==
        "cannot specify uid=1 mount option for rootless container: the ID is not mapped "
        "(/mounts/0)");
  CHECK(error(R"("type":"tmpfs","options":["gid=6"])").starts_with("cannot specify gid=6"));
  CHECK(error(R"("source":"/s","options":["bind","idmap"])") ==
        "id-mapped mounts are not supported for rootless containers (/mounts/0)");
}

TEST_CASE("the console size counts with a terminal only", "[specconv]") {
  const std::string size = R"("consoleSize":{"height":25,"width":80}})";
  CHECK(to_process(parse_process(R"({"cwd":"/","terminal":true,)" + size)).console_rows == 25);
  CHECK(to_process(parse_process(R"({"cwd":"/",)" + size)).console_rows == 0);
}

TEST_CASE("the root file system must be a directory that no link leads to", "[specconv]") {
  const Bundle bundle;
  const std::string& base = bundle.path();
  REQUIRE(mkdir((base + "/real").c_str(), 0755) == 0);
  REQUIRE(mkdir((base + "/real/x").c_str(), 0755) == 0);
  REQUIRE(symlink("real", (base + "/link").c_str()) == 0);
  REQUIRE(close(creat((base + "/file").c_str(), 0644)) == 0);
  CHECK(bundle.error_of("real") == "ok");
  CHECK(bundle.error_of("./real/../real/x/") == "ok");
  CHECK(bundle.error_of(base + "/real") == "ok");
  CHECK(bundle.error_of("none") ==
        "invalid rootfs \"none\": open: no such file or directory (/root/path)");
  CHECK(bundle.error_of("file") == "invalid rootfs \"file\": open: not a directory (/root/path)");
  CHECK(bundle.error_of("link").starts_with("invalid rootfs \"link\": it is, or is reached by"));
  CHECK(
      bundle.error_of("link/x").starts_with("invalid rootfs \"link/x\": it is, or is reached by"));
  CHECK(bundle.error_of(base + "/link").find("(/root/path)") != std::string::npos);
}

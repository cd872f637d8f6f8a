// The keys of container.json, as a container feels them.
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/legacy_scene.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

// CapBnd as the container sees it.
uint64_t bounding_set(const LegacyScene& scene) {
  return std::stoull(scene.sh("sed -n 's/CapBnd:.//p' /proc/self/status"), nullptr, 16);
}

constexpr uint64_t bit(unsigned capability) { return uint64_t{1} << capability; }

}  // namespace

TEST_CASE("the environment is the list, and the directory and user are those of the file",
          "[S13][S22][S23][S24]") {
  LegacyScene scene;
  scene.config["environment"].push_back("COLOUR=red");
  scene.config["working_dir"] = "/mnt";
  scene.config["user"] = "user";
  write_file(scene.dir() + "/etc/group", "root:x:0:\nuser:x:1000:\nmore:x:1234:user\n");
  CHECK(scene.sh("env | grep -v -e MARK -e SHLVL -e PWD | sort") ==
        "COLOUR=red\nHOME=/home/user\nPATH=/bin:/sbin");
  CHECK(scene.sh("pwd") == "/mnt");
  CHECK(scene.sh("id -u; id -g; id -G") == "1000\n1000\n1000 1234");
  scene.config["user"] = "0:more";
  CHECK(scene.sh("id -u; id -g") == "0\n1234");
  scene.config["user"] = "nobody";
  const Outcome refused = scene.nsinit({"exec", "/bin/true"});
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "unable to find user nobody: no matching entries in passwd file"));
}

TEST_CASE("readonly_fs makes the root read-only, no_pivot_root works without pivot_root",
          "[S25][S26]") {
  LegacyScene scene;
  CHECK(scene.sh("touch /mnt/x && rm /mnt/x && echo written") == "written");
  scene.config["no_pivot_root"] = true;
  CHECK(scene.sh("touch /mnt/x && rm /mnt/x && ls / | grep -c container.json") == "1");
  scene.config["readonly_fs"] = true;
  CHECK(contains(scene.sh("touch /x 2>&1; touch /dev/x && echo still"), "Read-only file system"));
}

TEST_CASE("bind mounts are read-only unless writable, and may be private", "[S27]") {
  LegacyScene scene;
  const std::string source = scene.bundle().dir() + "/source";
  make_directories(source, 0755);
  write_file(source + "/file", "text");
  scene.config["mounts"] = {
      {{"type", "bind"}, {"source", source + "/file"}, {"destination", "/mnt/file"}},
      {{"source", source}, {"destination", "/mnt/dir"}, {"writable", true}, {"private", true}}};
  CHECK(scene.sh("cat /mnt/file; (echo x > /mnt/file) 2>/dev/null || echo refused") ==
        "textrefused");
  CHECK(scene.sh("echo new > /mnt/dir/more; grep -c ' /mnt/dir .*shared' /proc/self/mountinfo; "
                 "true") == "0");
  CHECK(read_file(source + "/more") == "new\n");
}

TEST_CASE("the mounts that every container has", "[S28]") {
  const LegacyScene scene;
  const std::string mounts = scene.sh("cat /proc/mounts");
  for (const char* line :
       {"proc /proc proc rw,nosuid,nodev,noexec", "tmpfs /dev tmpfs rw,nosuid",
        "shm /dev/shm tmpfs rw,nosuid,nodev,noexec,relatime,size=65536k",
        "devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666",
        "sysfs /sys sysfs rw,nosuid,nodev,noexec"}) {
    INFO(line);
    CHECK(contains(mounts, line));
  }
}

TEST_CASE("device nodes are made, with the default ones", "[S29]") {
  LegacyScene scene;
  scene.config["device_nodes"] = {{{"type", 99},
                                   {"path", "/dev/nought"},
                                   {"major_number", 1},
                                   {"minor_number", 3},
                                   {"file_mode", 0640}}};
  CHECK(scene.sh("cd /dev; stat -c '%n %F %t:%T' nought null zero full random urandom tty") ==
        "nought character special file 1:3\nnull character special file 1:3\n"
        "zero character special file 1:5\nfull character special file 1:7\n"
        "random character special file 1:8\nurandom character special file 1:9\n"
        "tty character special file 5:0");
  CHECK(scene.sh("stat -c %a /dev/nought") == "640");
}

TEST_CASE("each namespace that is named is a new one, the others are the host's", "[S31]") {
  struct Kind {
    const char* name;
    const char* file;
  };
  const Kind kinds[] = {{"NEWUTS", "uts"},
                        {"NEWIPC", "ipc"},
                        {"NEWPID", "pid"},
                        {"NEWNET", "net"},
                        {"NEWUSER", "user"}};
  for (const Kind& kind : kinds) {
    INFO(kind.name);
    LegacyScene scene;
    // A user namespace can mount sysfs only with a network namespace of its own.
    scene.config["namespaces"] = {{"NEWNS", true}, {"NEWPID", true}, {"NEWNET", true}};
    const std::string own = [&] {
      char target[64] = {};
      const std::string path = std::string("/proc/self/ns/") + kind.file;
      return readlink(path.c_str(), target, sizeof target - 1) > 0 ? std::string(target) : "";
    }();
    scene.config["namespaces"][kind.name] = true;
    CHECK(scene.sh(std::string("readlink /proc/self/ns/") + kind.file) != own);
  }
  LegacyScene scene;
  scene.config["namespaces"] = {
      {"NEWNS", true}, {"NEWUSER", true}, {"NEWPID", true}, {"NEWNET", true}};
  CHECK(scene.sh("cat /proc/self/uid_map | tr -s ' '") == " 0 0 4294967295");
}

TEST_CASE("all spellings of capabilities lead to the same bounding set", "[S32]") {
  constexpr uint64_t kDropped = bit(8) | bit(27);  // SETPCAP, MKNOD
  LegacyScene scene;
  const uint64_t all = bounding_set(scene);
  CHECK((all & kDropped) == kDropped);
  scene.config["capabilities_mask"] = {{{"key", "SETPCAP"}, {"value", 8}, {"enabled", false}},
                                       {{"key", "MKNOD"}, {"enabled", false}},
                                       {{"key", "CHOWN"}, {"enabled", true}}};
  CHECK(bounding_set(scene) == (all & ~kDropped));
  scene.config["capabilities_mask"] = {{"SETPCAP", false}, {"MKNOD", false}, {"CHOWN", true}};
  CHECK(bounding_set(scene) == (all & ~kDropped));
  scene.config.erase("capabilities_mask");
  scene.config["capabilities"] = {"CHOWN", "KILL"};
  CHECK(bounding_set(scene) == (bit(0) | bit(5)));
  scene.config["capabilities"] = {"SETPCAP", "MKNOD"};
  scene.config["namespaces"] = {"NEWNS", "NEWPID", "NEWNET"};
  CHECK(bounding_set(scene) == (all & ~kDropped));
}

TEST_CASE("the sample of April 2014 drops its capabilities", "[S33]") {
  LegacyScene scene;
  const Json sample =
      Json::parse(read_file(HULL_SOURCE_DIR "/specconv/testdata/container-2014-04.json"));
  scene.config["capabilities_mask"] = sample.at("capabilities_mask");
  const uint64_t kept = bounding_set(scene);
  for (const Json& one : sample.at("capabilities_mask")) {
    INFO(one);
    CHECK(((kept & bit(one.at("value").get<unsigned>())) != 0) == one.at("enabled").get<bool>());
  }
}

TEST_CASE("the cgroup is parent and name, with the limits of the file", "[S39][S40]") {
  if (!has_controller("memory")) HULL_SKIP("there is no memory controller");
  LegacyScene scene;
  scene.config["cgroups"].update({{"memory", 64 << 20},
                                  {"memory_reservation", 32 << 20},
                                  {"cpu_shares", 512},
                                  {"cpu_quota", 50000},
                                  {"cpu_period", 200000},
                                  {"cpuset_cpus", "0"}});
  const LegacyRun running(scene);
  const pid_t pid = scene.pid();
  const auto value = [&](const char* controller, const char* name) {
    std::string text = read_file(cgroup_of(pid, controller) + "/" + name);
    if (text.ends_with('\n')) text.pop_back();
    return text;
  };
  CHECK(cgroup_of(pid, "memory").ends_with("/" + scene.mark() + "/box"));
  if (in_cgroup_v2("memory")) {
    CHECK(value("memory", "memory.max") == "67108864");
    CHECK(value("memory", "memory.low") == "33554432");
    CHECK(value("cpu", "cpu.max") == "50000 200000");
  } else {
    CHECK(value("memory", "memory.limit_in_bytes") == "67108864");
    CHECK(value("memory", "memory.soft_limit_in_bytes") == "33554432");
    CHECK(value("cpu", "cpu.shares") == "512");
    CHECK(value("cpu", "cpu.cfs_quota_us") == "50000");
    CHECK(value("cpu", "cpu.cfs_period_us") == "200000");
  }
  CHECK(value("cpuset", "cpuset.cpus") == "0");
}

TEST_CASE("only the devices that are allowed can be used", "[S41]") {
  LegacyScene scene;
  const std::string script =
      "mknod /dev/m c 1 11; (: < /dev/m) 2>/dev/null && echo open || echo refused";
  CHECK(scene.sh(script) == "refused");
  scene.config["cgroups"]["allowed_devices"] = {
      {{"type", 99}, {"major_number", 1}, {"minor_number", -1}, {"cgroup_permissions", "rwm"}}};
  CHECK(scene.sh(script) == "open");
  scene.config["cgroups"].erase("allowed_devices");
  scene.config["cgroups"]["allow_all_devices"] = true;
  CHECK(scene.sh(script) == "open");
  CHECK(scene.sh("head -c 1 /dev/zero > /dev/null && echo ok") == "ok");
}

TEST_CASE("restrictions hide and protect parts of /proc and /sys", "[S42]") {
  LegacyScene scene;
  CHECK(scene.sh("test -w /proc/sys/kernel/hostname && echo open") == "open");
  scene.config["context"] = {{"restrictions", "true"}};
  CHECK(
      scene.sh("for f in /proc/sysrq-trigger /proc/sys/kernel/hostname /sys/kernel/uevent_helper; "
               "do (: >> $f) 2>/dev/null && echo $f can be written; done; "
               "[ ! -e /proc/kcore ] || stat -c %t:%T /proc/kcore") ==
      (exists("/proc/kcore") ? "1:3" : ""));
  CHECK(scene.sh("grep -c ' /proc/irq .*ro,' /proc/self/mountinfo") == "1");
}

TEST_CASE("a container run from the converted file behaves alike", "[S44]") {
  LegacyScene scene;
  scene.config["hostname"] = "both";
  scene.config["working_dir"] = "/mnt";
  scene.config["user"] = "user";
  scene.config["readonly_fs"] = true;
  scene.config["capabilities_mask"] = {{"SETPCAP", false}, {"NET_RAW", false}};
  scene.config["cgroups"]["memory"] = 64 << 20;
  const std::vector<std::string> script = {
      "/bin/sh", "-c",
      "hostname; pwd; id; env | sort; cat /proc/self/status | grep Cap; cut -d' ' -f 4- "
      "/proc/self/mountinfo | sed 's/ [0-9]*:[0-9]* / /;s/master:[0-9]*//'; cat /proc/self/cgroup; "
      "ls "
      "-l /dev | tr -s ' ' | cut -d' ' -f 1-6"};
  std::vector<std::string> words = {"exec"};
  words.insert(words.end(), script.begin(), script.end());
  const Outcome legacy = scene.nsinit(words);
  REQUIRE(legacy.exit_code == 0);

  words = {Hull::program(), "convert", scene.dir() + "/container.json"};
  words.insert(words.end(), script.begin(), script.end());
  const Outcome converted = run_command(words);
  INFO(converted.err);
  REQUIRE(converted.exit_code == 0);
  write_file(scene.bundle().dir() + "/config.json", converted.out);
  const Outcome oci = scene.hull({"run", "--bundle", scene.bundle().dir(), scene.mark()});
  INFO(oci.err);
  CHECK(oci.exit_code == 0);
  CHECK(oci.out == legacy.out);
}

TEST_CASE("what is wrong with a container.json is told with its pointer", "[S44]") {
  LegacyScene scene;
  scene.config["namespaces"]["NEWFANGLED"] = true;
  scene.config["user"] = 7;
  const Outcome done = scene.nsinit({"exec", "/bin/true"});
  CHECK(done.exit_code == 1);
  CHECK(contains(done.err, "/namespaces/NEWFANGLED"));
  CHECK(contains(done.err, "/user"));
  CHECK(contains(run_command({Hull::program(), "convert", "/nosuch.json"}).err,
                 "there is no container.json"));
}

}  // namespace hull::conformance

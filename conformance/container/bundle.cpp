#include "conformance/container/bundle.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "conformance/container/command.h"
#include "conformance/container/host.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

// What `runc spec` and `hull spec` print, but: no terminal, a writable root, all in cgroups of the
// test's name.
Json base_config() {
  static const Json config = Json::parse(R"({
    "ociVersion": "1.0.2",
    "process": {
      "terminal": false,
      "user": {"uid": 0, "gid": 0},
      "args": ["/bin/true"],
      "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
      "cwd": "/",
      "capabilities": {
        "bounding": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "effective": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
        "permitted": ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
      },
      "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
      "noNewPrivileges": true
    },
    "root": {"path": "rootfs", "readonly": false},
    "hostname": "box",
    "mounts": [
      {"destination": "/proc", "type": "proc", "source": "proc"},
      {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
       "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
      {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
       "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
      {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
       "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
      {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
       "options": ["nosuid", "noexec", "nodev"]},
      {"destination": "/sys", "type": "sysfs", "source": "sysfs",
       "options": ["nosuid", "noexec", "nodev", "ro"]},
      {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
       "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]}
    ],
    "linux": {
      "resources": {"devices": [{"allow": false, "access": "rwm"}]},
      "namespaces": [{"type": "pid"}, {"type": "network"}, {"type": "ipc"}, {"type": "uts"},
                     {"type": "mount"}],
      "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                      "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
      "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
    }
  })");
  return config;
}

// One root file system, made once; the bundles' are copies with hard links.
const std::string& prototype() {
  static const std::string path = [] {
    const std::string root = "/tmp/hull-test-rootfs-" + std::to_string(getpid());
    const std::string script =
        "set -e; rm -rf " + root + "; mkdir -p " + root + "/bin && cd " + root +
        " && mkdir sbin usr usr/bin etc proc sys dev tmp root var run home mnt"
        " && chmod 1777 tmp && cp /bin/busybox bin/"
        " && for name in $(bin/busybox --list); do"
        "   [ $name = busybox ] || ln -s busybox bin/$name; done"
        " && printf 'root:x:0:0:root:/root:/bin/sh\\nuser:x:1000:1000::/home/user:/bin/sh\\n' > "
        "etc/passwd"
        " && printf 'root:x:0:\\nuser:x:1000:\\n' > etc/group";
    const Outcome made = run_command({"/bin/busybox", "sh", "-c", script});
    if (made.exit_code != 0)
      throw Error("making a root file system (is busybox-static there?): " + made.err);
    return root;
  }();
  return path;
}

// Goes when the test program ends.
struct PrototypeRemover {
  pid_t owner = getpid();
  ~PrototypeRemover() {
    if (getpid() == owner) remove_tree("/tmp/hull-test-rootfs-" + std::to_string(owner));
  }
};

std::string next_mark() {
  static int count = 0;
  return "hct" + std::to_string(getpid()) + "x" + std::to_string(++count) + "z";
}

Json& entry_of(Json& list, const char* key, const std::string& value) {
  for (Json& entry : list)
    if (entry.at(key) == value) return entry;
  throw Error("no entry with " + std::string(key) + " " + quote(value) + " in the bundle's config");
}

void remove_entry(Json& list, const char* key, const std::string& value) {
  for (auto entry = list.begin(); entry != list.end(); ++entry)
    if (entry->at(key) == value) {
      list.erase(entry);
      return;
    }
}

}  // namespace

bool by_systemd() {
  const char* manager = std::getenv("HULL_CGROUPS");
  return manager != nullptr && std::string_view(manager) == "systemd";
}

Bundle::Bundle() : config(base_config()), mark_(next_mark()), dir_("/tmp/hull-test-" + mark_) {
  static const PrototypeRemover remover;
  make_directories(dir_, 0755);
  const Outcome copied = run_command({"cp", "-al", prototype(), rootfs()});
  if (copied.exit_code != 0) throw Error("copying the root file system: " + copied.err);
  // Hard links are for what no test changes.
  for (const char* name : {"/etc/passwd", "/etc/group"}) {
    const std::string content = read_file(rootfs(name));
    unlink(rootfs(name).c_str());
    write_file(rootfs(name), content);
  }
  env("MARK=" + mark_);
  config["linux"]["cgroupsPath"] = (by_systemd() ? "system.slice:hull:" : "/") + mark_;
}

Bundle::~Bundle() { remove_tree(dir_); }

void Bundle::mount(const std::string& destination, const std::string& type,
                   const std::string& source, const std::vector<std::string>& options) {
  config["mounts"].push_back(
      {{"destination", destination}, {"type", type}, {"source", source}, {"options", options}});
}

Json& Bundle::mount_at(const std::string& destination) {
  return entry_of(config["mounts"], "destination", destination);
}

void Bundle::remove_mount(const std::string& destination) {
  remove_entry(config["mounts"], "destination", destination);
}

Json& Bundle::name_space(const std::string& type) {
  Json& list = config["linux"]["namespaces"];
  for (Json& entry : list)
    if (entry.at("type") == type) return entry;
  list.push_back({{"type", type}});
  return list.back();
}

void Bundle::remove_name_space(const std::string& type) {
  remove_entry(config["linux"]["namespaces"], "type", type);
}

void Bundle::user_namespace(unsigned host_id, unsigned size) {
  name_space("user");
  const Json map = {{{"containerID", 0}, {"hostID", host_id}, {"size", size}}};
  config["linux"]["uidMappings"] = map;
  config["linux"]["gidMappings"] = map;
  // -h leaves the shared busybox alone: it is the target of links only.
  const std::string owner = std::to_string(host_id) + ":" + std::to_string(host_id);
  run_command({"find", rootfs(), "-type", "d", "-exec", "chown", owner, "{}", "+"});
}

void Bundle::capabilities(const std::vector<std::string>& names) {
  for (const char* set : {"bounding", "effective", "permitted"})
    config["process"]["capabilities"][set] = names;
}

void Bundle::hook(const std::string& kind, const std::string& script) {
  // createContainer's path is resolved on the host but runs among the container's mounts, before
  // pivot_root: the host's busybox is there; startContainer sees only the container's.
  config["hooks"][kind].push_back(
      {{"path", kind == "startContainer" ? "/bin/sh" : "/bin/busybox"},
       {"args",
        kind == "startContainer" ? Json{"sh", "-c", script} : Json{"busybox", "sh", "-c", script}},
       {"env", {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "MARK=" + mark_}}});
}

void Bundle::save() const { write_file(dir_ + "/config.json", config.dump(1)); }

std::string Bundle::rootfs(std::string_view path) const {
  return dir_ + "/rootfs" + std::string(path);
}

std::string Bundle::read(const std::string& name) const {
  return read_file_if_exists(dir_ + "/" + name).value_or("");
}

}  // namespace hull::conformance

// Users, capabilities, devices and cgroups that a container must not get.
#include <unistd.h>

#include <cerrno>

#include "conformance/attacks/box.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// Numbers are numbers, whatever the image's passwd says.
void numeric_user_name(const Arena &arena) {
  Box box(arena);
  box.put("/etc/passwd", "root:x:0:0::/:/bin/sh\n1000:x:0:0::/:/bin/sh\n1:x:0:0::/:/bin/sh\n");
  box.bundle.script("sleep 60");
  box.launch();
  if (box.exec({"id", "-u"}, {"--user", "0"}).out != "0\n")
    throw Error("exec of the harmless twin fails");
  for (const std::string user : {"1000", "1", "65534"}) {
    const Outcome done = box.exec({"id", "-u"}, {"--user", user});
    if (done.exit_code == 0 && done.out != user + "\n")
      throw Breach{"--user " + user + " gives " + done.out};
  }
  for (const std::string user : {"4294967296", "-1", "1x", "99999999999999999999", "0x0", " 0"}) {
    const Outcome done = box.exec({"id", "-u"}, {"--user", user});
    if (done.exit_code == 0) throw Breach{"--user \"" + user + "\" gives " + done.out};
  }
}

void user_overflows(const Arena &arena) {
  Box box(arena);
  box.bundle.script("id -u");
  box.bundle.config["process"]["user"] = {{"uid", 7}, {"gid", 7}};
  box.must_work("7");
  for (const Json &id : {Json(4294967296), Json(-1), Json(18446744073709551615U), Json(1.5)}) {
    for (const char *key : {"uid", "gid"}) {
      box.bundle.config["process"]["user"] = {{"uid", 7}, {"gid", 7}};
      box.bundle.config["process"]["user"][key] = id;
      if (const auto out = box.attempt())
        throw Breach{std::string(key) + " " + id.dump() + " is taken and gives " + *out};
    }
  }
}

void exec_capability_is_inheritable(const Arena &arena) {
  Box box(arena);
  box.bundle.script("sleep 60");
  box.launch();
  const Outcome done = box.exec({"cat", "/proc/self/status"}, {"--cap", "CAP_NET_RAW"});
  if (!has(done.out, "CapEff")) throw Error("exec of the harmless twin fails: " + done.err);
  if (!has(done.out, "CapInh:\t0000000000000000")) throw Breach{"--cap is inheritable"};
}

void example_is_inheritable(const Arena &arena) {
  Box box(arena);
  CommandOptions options;
  options.dir = box.decoy() + "/directory";
  const Outcome done = box.command({"spec"}, options);
  const std::string file = options.dir + "/config.json";
  if (done.exit_code != 0) throw Error("spec fails: " + done.err);
  const Json config = Json::parse(read_file(file));
  unlink(file.c_str());
  const Json &sets = config.at("process").at("capabilities");
  if (sets.contains("inheritable") && !sets["inheritable"].empty())
    throw Breach{"the configuration of `spec` has inheritable capabilities"};
}

void devices_are_denied(const Arena &arena) {
  if (!has_controller("devices") && !in_cgroup_v2(""))
    throw NotApplicable{"no controller of devices"};
  Box box(arena);
  box.bundle.capabilities({"CAP_MKNOD"});
  box.bundle.script(
      "mknod /tmp/m c 1 1; (head -c 1 /tmp/m) 2>&1; mknod /tmp/d "
      "b 7 0; (head -c 1 /tmp/d) 2>&1; "
      "echo x > /dev/null && echo null works");
  Json rules = {{{"allow", false}, {"access", "rwm"}}};
  rules.push_back({{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 3}, {"access", "rwm"}});
  box.bundle.config["linux"]["resources"]["devices"] = rules;
  const std::string out = box.must_work("null works");
  if (!has(out, "not permitted")) throw Breach{"a device that is not allowed is open: " + out};
}

void cgroup_of_a_sibling(const Arena &arena) {
  Box box(arena);
  box.bundle.config["linux"]["cgroupsPath"] = "/" + box.id() + "/c1";
  box.bundle.script("sleep 60");
  box.launch();
  const std::string own = cgroup_of(box.pid(), "pids");
  const std::string sibling = own + "x";
  make_directories(own + "/sub", 0755);
  make_directories(sibling, 0755);
  // With the controller's name, and without, as far as the runtime takes each.
  bool any = false;
  for (const std::string controller : {"pids:", ""}) {
    any = any || box.exec({"true"}, {"--cgroup", controller + "sub"}).exit_code == 0;
    for (const char *path : {"../c1x", "../../../..", "sub/../../c1x"}) {
      const std::string named = controller + path;
      const Outcome done = box.exec({"cat", "/proc/self/cgroup"}, {"--cgroup", named});
      if (done.exit_code == 0 && has(done.out, "/c1x"))
        throw Breach{"the sibling's cgroup is joined"};
      if (done.exit_code == 0) throw Breach{"--cgroup " + named + " is taken: " + done.out};
    }
  }
  if (!any) throw NotApplicable{"no exec --cgroup"};
}

void cgroups_path_climbs(const Arena &arena) {
  Box box(arena);
  box.bundle.script("cat /proc/self/cgroup");
  box.must_work(box.id());
  for (const std::string &path : {"/../../../../../../.." + box.decoy() + "/new",
                                  "../../../../../../../.." + box.decoy() + "/new",
                                  "/" + box.id() + "/../../../../../../.." + box.decoy()}) {
    box.bundle.config["linux"]["cgroupsPath"] = path;
    (void)box.attempt();
    box.decoy_is_untouched();
  }
}

void delegated_cgroup_climbs(const Arena &arena) {
  Box box(arena);
  box.bundle.config["linux"]["cgroupsPath"] = "/" + box.id() + "/c1";
  box.bundle.script("grep pids /proc/self/cgroup");
  box.must_work("/c1");
  for (const std::string path : {"..", "../..", "/", "../c1x", "a/../.."}) {
    box.bundle.config["annotations"] = {{"run.oci.delegate-cgroup", path}};
    const auto out = box.attempt();
    if (out && !has(*out, box.id() + "/c1")) throw Breach{"delegated " + path + ": " + *out};
  }
}

// The host's cgroups through /sys, in a container that has no cgroup namespace.
void sysfs_with_cgroups(const Arena &arena) {
  Box box(arena);
  box.bundle.user_namespace();
  box.bundle.remove_mount("/sys/fs/cgroup");
  Json &sys = box.bundle.mount_at("/sys");
  sys = {{"destination", "/sys"},
         {"type", "none"},
         {"source", "/sys"},
         {"options", {"rbind", "nosuid", "noexec", "nodev", "ro"}}};
  box.bundle.config["linux"].erase("maskedPaths");
  box.bundle.script("grep ' /sys' /proc/self/mountinfo");
  const std::string out = box.must_work("/sys");
  if (!has(out, " /sys/fs/cgroup/pids ")) throw NotApplicable{"the bind is not recursive"};
  // As a manager does for its user.
  const std::string given = cgroup_of(getpid(), "pids") + "/" + box.id();
  make_directories(given, 0755);
  if (chown(given.c_str(), 100'000, 100'000) != 0) throw Error("giving a cgroup", "chown", errno);
  const std::string inside = given.substr(given.find("/sys/fs/cgroup"));
  box.bundle.script("mkdir " + inside + "/made 2>&1; true");
  (void)box.attempt();
  const bool made = exists(given + "/made");
  rmdir((given + "/made").c_str());
  rmdir(given.c_str());
  if (made) throw Breach{"a cgroup of the host was made through /sys"};
}

void unsafe_annotations_are_told(const Arena &arena) {
  Box box(arena);
  const Outcome done = box.command({"features"});
  if (done.exit_code != 0) throw NotApplicable{"no `features`"};
  const Json features = Json::parse(done.out);
  const std::string list = features.contains("potentiallyUnsafeConfigAnnotations")
                               ? features["potentiallyUnsafeConfigAnnotations"].dump()
                               : "";
  if (!has(list, "org.systemd.property."))
    throw Breach{
        "`features` does not tell that annotations set properties of "
        "systemd units"};
}

// Who may not set groups must not drop them: an unprivileged user makes a user
// namespace.
void groups_are_dropped(const Arena &arena) {
  Box box(arena);
  box.bundle.config["linux"]["uidMappings"] = {
      {{"containerID", 0}, {"hostID", 65534}, {"size", 1}}};
  box.bundle.config["linux"]["gidMappings"] = box.bundle.config["linux"]["uidMappings"];
  box.bundle.name_space("user");
  box.bundle.remove_name_space("network");
  box.bundle.remove_mount("/sys");
  box.bundle.remove_mount("/sys/fs/cgroup");
  box.bundle.remove_mount("/dev/pts");
  box.bundle.remove_mount("/dev/mqueue");
  box.bundle.config["linux"].erase("resources");
  box.bundle.config["linux"].erase("cgroupsPath");
  box.bundle.config["linux"].erase("maskedPaths");
  box.bundle.script("cat /proc/self/setgroups");
  box.bundle.save();
  run_command({"chown", "-R", "65534:65534", box.bundle.dir()});
  const Outcome done = run_command({"setpriv", "--reuid", "65534", "--regid", "65534",
                                    "--clear-groups", "env", "XDG_RUNTIME_DIR=" + box.bundle.dir(),
                                    arena.runtime.path, "--root", box.bundle.dir() + "/user-state",
                                    "run", "--bundle", box.bundle.dir(), box.id()});
  if (done.exit_code != 0) throw NotApplicable{"no container without root here: " + done.err};
  if (done.out != "deny\n") throw Breach{"setgroups is " + done.out};
}

constexpr Attack kAttacks[] = {
    {"exec-user", "CVE-2016-3697, CVE-2026-30892", "the image has users whose names are numbers",
     numeric_user_name},
    {"user-overflow", "CVE-2026-46680", "a user ID that does not fit wraps to root's",
     user_overflows},
    {"exec-cap", "CVE-2022-29162, CVE-2022-27650, CVE-2025-27612",
     "capabilities of exec are inheritable", exec_capability_is_inheritable},
    {"spec-cap", "CVE-2022-24769", "capabilities of `spec` are inheritable",
     example_is_inheritable},
    {"devices", "GHSA-g54h-m393-cpwq", "a list of devices that denies all but some",
     devices_are_denied},
    {"exec-cgroup", "runc 1.5.2", "exec --cgroup of a sibling whose name starts alike",
     cgroup_of_a_sibling},
    {"cgroup-climb", "", "cgroupsPath has \"..\"", cgroups_path_climbs},
    {"delegate-climb", "crun 1.29", "the delegated cgroup has \"..\"", delegated_cgroup_climbs},
    {"sysfs-cgroup", "CVE-2023-25809", "the host's cgroups through a read-only bind of /sys",
     sysfs_with_cgroups},
    {"annotations", "CVE-2024-3154", "properties of systemd units by annotations, untold",
     unsafe_annotations_are_told},
    {"setgroups", "CVE-2014-8989", "groups are dropped without root", groups_are_dropped},
};

}  // namespace

std::span<const Attack> identity_attacks() { return kAttacks; }

}  // namespace hull::conformance

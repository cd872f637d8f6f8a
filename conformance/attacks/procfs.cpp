// Images and configurations that put something else where the runtime expects
// the kernel's /proc.
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/attacks/box.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

void no_protected_paths(Box &box) {
  box.bundle.config["linux"].erase("maskedPaths");
  box.bundle.config["linux"].erase("readonlyPaths");
}

// A volume over /proc: what the runtime writes there goes to files of the
// image.
void proc_is_covered(const Arena &arena) {
  Box box(arena);
  no_protected_paths(box);
  box.bundle.config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
  box.bundle.script("cat /proc/sys/net/ipv4/ip_forward");
  box.must_work("1");
  const std::string fake = box.bundle.dir() + "/fake";
  make_directories(fake + "/sys/net/ipv4", 0755);
  write_file(fake + "/sys/net/ipv4/ip_forward", "0\n");
  box.bundle.bind(fake, "/proc");
  const auto out = box.attempt();
  if (read_file(fake + "/sys/net/ipv4/ip_forward") != "0\n")
    throw Breach{"a file of the volume was written in place of the kernel's"};
  if (out && !has(*out, "1")) throw Breach{"the volume covers /proc, and nothing tells"};
}

void inside_proc_is_covered(const Arena &arena) {
  Box box(arena);
  box.bundle.script("grep ' /proc/self' /proc/self/mountinfo; echo end");
  box.must_work("end");
  for (const char *path : {"/proc/self/attr", "/proc/self/fd", "/proc/sys/kernel",
                           "/proc/../proc/self/attr", "/mnt/link"}) {
    box.link("/proc/self/attr", "/mnt/link");
    box.bundle.mount(path, "tmpfs", "attackmark", {"nosuid"});
    const auto out = box.attempt();
    box.bundle.remove_mount(path);
    if (out) throw Breach{"a tmpfs was mounted on " + std::string(path)};
  }
}

// The root is to be read-only, but /proc/self/fd is the image's.
void readonly_root_by_fake_proc(const Arena &arena) {
  Box box(arena);
  no_protected_paths(box);
  box.bundle.config["root"]["readonly"] = true;
  box.bundle.script("touch /x 2>&1; ls /x");
  const Outcome twin = box.run();
  if (!has(twin.out, "ead-only")) throw Error("the harmless twin does not work: " + twin.err);
  box.bundle.remove_mount("/proc");
  box.drop("/proc");
  box.directory("/proc/self/fd");
  for (int fd = 0; fd < 30; ++fd) box.link("/mnt", "/proc/self/fd/" + std::to_string(fd));
  if (const auto out = box.attempt(); out && !has(*out, "ead-only"))
    throw Breach{"the root is writable"};
  struct stat info {};
  if (stat(box.bundle.rootfs("/x").c_str(), &info) == 0) throw Breach{"the root was written"};
  box.bundle.bind(box.bundle.rootfs("/proc"), "/proc");
  if (const auto out = box.attempt(); out && !has(*out, "ead-only"))
    throw Breach{"the root is writable"};
}

// Root of a container has mounted something else on its /proc before somebody
// execs.
void exec_meets_fake_proc(const Arena &arena) {
  Box box(arena);
  no_protected_paths(box);
  box.bundle.capabilities({"CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE"});
  box.bundle.script("touch /ready; sleep 60");
  box.launch();
  const Outcome twin = box.exec({"echo", "works"});
  if (twin.out != "works\n") throw Error("exec of the harmless twin fails: " + twin.err);
  const Outcome covered = box.exec({"/bin/sh", "-c",
                                    "mount -t tmpfs fake /proc && mkdir -p /proc/self/fd "
                                    "/proc/self/attr /proc/thread-self && "
                                    "echo fake > /proc/self/attr/exec && cd /proc/self/fd && "
                                    "for n in 0 1 2 3 4 5 6 7 8 9; do ln -s " +
                                        box.secret() + " $n; done; echo done"});
  if (!has(covered.out, "done")) throw NotApplicable{"can't mount: " + covered.err};
  const Outcome done = box.exec({"/bin/sh", "-c", "cat /proc/self/attr/exec; id -u"});
  box.tells_no_secret(done.out + done.err);
  if (done.exit_code == 0 && done.out != "fake\n0\n")
    throw Breach{"exec wrote to the container's files: " + done.out};
  box.decoy_is_untouched();
}

// Without a mount namespace of its own a container changes the host's mounts.
void host_mounts_are_changed(const Arena &arena) {
  Box box(arena);
  box.bundle.script("echo works");
  box.must_work("works");
  const std::string before = read_file("/proc/self/mountinfo");
  box.bundle.remove_name_space("mount");
  (void)box.attempt();
  for (const char *key : {"maskedPaths", "readonlyPaths"}) box.bundle.config["linux"].erase(key);
  (void)box.attempt();
  box.bundle.config["mounts"] = Json::array();
  (void)box.attempt();
  box.bundle.config["linux"]["rootfsPropagation"] = "private";
  (void)box.attempt();
  box.bundle.config["linux"].erase("rootfsPropagation");
  box.bundle.config["root"]["readonly"] = true;
  (void)box.attempt();
  if (read_file("/proc/self/mountinfo") != before) throw Breach{"the host's mounts were changed"};
}

// What the container mounts stays in it.
void mounts_reach_the_host(const Arena &arena) {
  Box box(arena);
  box.bundle.capabilities({"CAP_SYS_ADMIN"});
  box.directory("/volume");
  box.bundle.bind(box.decoy() + "/directory", "/volume", {"rbind", "rw"});
  box.bundle.script(
      "mount -t tmpfs attackmark /volume && mount -t tmpfs attackmark /mnt && "
      "cat /proc/self/mountinfo");
  box.must_work("attackmark");
  for (const char *propagation : {"", "private", "slave", "rprivate", "rslave"}) {
    if (*propagation != '\0') box.bundle.config["linux"]["rootfsPropagation"] = propagation;
    (void)box.attempt();
    if (has(read_file("/proc/self/mountinfo"), "attackmark"))
      throw Breach{"a mount of the container is the host's: " + std::string(propagation)};
  }
}

constexpr Attack kAttacks[] = {
    {"proc-cover", "CVE-2019-16884", "a volume over /proc", proc_is_covered},
    {"proc-inside", "CVE-2019-16884, CVE-2025-52881", "a mount inside /proc",
     inside_proc_is_covered},
    {"readonly-fake-proc", "CVE-2026-115521", "the image brings its own /proc/self/fd",
     readonly_root_by_fake_proc},
    {"exec-fake-proc", "", "exec into a container that has replaced its /proc",
     exec_meets_fake_proc},
    {"host-mounts", "runc 1.5.3", "a container without a mount namespace", host_mounts_are_changed},
    {"propagation", "", "what the container mounts reaches the host", mounts_reach_the_host},
};

}  // namespace

std::span<const Attack> procfs_attacks() { return kAttacks; }

}  // namespace hull::conformance

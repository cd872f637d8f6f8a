// Two containers share a directory, and one changes it while the other is made:
// what the runtime checks is not what it uses. Each attack is played many
// times.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "conformance/attacks/box.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"

namespace hull::conformance {
namespace {

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// Makes the directory `name` in the root and a link `name`-link to `target`,
// which another process exchanges.
class SharedName {
 public:
  SharedName(const Box &box, const std::string &name, const std::string &target) {
    box.drop(name);
    box.directory(name);
    box.link(target, name + "-link");
    swapper_.emplace(box.bundle.rootfs(name), box.bundle.rootfs(name + "-link"));
  }

 private:
  std::optional<Swapper> swapper_;
};

// A mount that lands outside of the root is not there for the container.
void mount_target(const Arena &arena) {
  Box box(arena);
  box.directory("/volume/mnt");
  box.bundle.mount("/volume/mnt", "tmpfs", "attackmark", {"nosuid"});
  box.bundle.script("cat /proc/self/mountinfo");
  box.must_work("attackmark");
  const SharedName shared(box, "/volume/mnt", box.decoy());
  for (int round = 0; round < arena.rounds; ++round) {
    const auto out = box.attempt();
    if (out && !has(*out, "attackmark"))
      throw Breach{"round " + std::to_string(round) + ": the mount is lost"};
    if (round % 16 == 0) box.decoy_is_untouched();
  }
  box.decoy_is_untouched();
}

// CVE-2024-45310: what is missing below a destination is made on the host.
void mount_target_is_made(const Arena &arena) {
  Box box(arena);
  box.directory("/volume/dir");
  box.bundle.mount("/volume/dir/deep/mnt", "tmpfs", "attackmark", {"nosuid"});
  box.bundle.bind(box.bundle.dir() + "/config.json", "/volume/dir/file", {"bind", "ro"});
  box.bundle.script("cat /proc/self/mountinfo");
  box.must_work("attackmark");
  const SharedName shared(box, "/volume/dir", box.decoy());
  for (int round = 0; round < arena.rounds; ++round) {
    (void)box.attempt();
    box.decoy_is_untouched();
    // Made anew each time: of both names one is the directory.
    for (const char *name : {"/volume/dir", "/volume/dir-link"})
      for (const char *made : {"/deep/mnt", "/deep", "/file"}) {
        struct stat info {};
        const std::string base = box.bundle.rootfs(name);
        if (lstat(base.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) continue;
        (void)::remove((base + made).c_str());
      }
  }
}

// Every procfs that the container has is masked, wherever its directory is by
// now: told by the IDs of mounts, the names change while the file is read.
void check_masked(const std::string &text, int round) {
  const std::vector<MountInfo> mounts = parse_mountinfo(text);
  for (const MountInfo &proc : mounts) {
    if (proc.fs_type != "proc" || proc.root != "/") continue;
    const bool masked = std::ranges::any_of(mounts, [&](const MountInfo &mask) {
      return mask.parent == proc.id && mask.mount_point.ends_with("/cpuinfo");
    });
    if (!masked)
      throw Breach{"round " + std::to_string(round) + ": a procfs is not masked: " + text};
  }
}

// The other directory has no files that would be masked.
void kernel_directory(const Arena &arena, bool link) {
  Box box(arena);
  box.bundle.config["linux"]["maskedPaths"] = {"/proc/cpuinfo"};
  box.bundle.script("cat /proc/self/mountinfo");
  check_masked(box.must_work("/proc/cpuinfo"), 0);
  box.directory("/fake/self");
  const std::string other = "/proc-other";
  if (link) {
    box.link("fake", other);
  } else {
    box.directory(other);
  }
  // One of both names is that of the kernel's.
  box.bundle.script("cat /proc/self/mountinfo || cat /proc-other/self/mountinfo");
  const Swapper swapper(box.bundle.rootfs("/proc"), box.bundle.rootfs(other));
  for (int round = 0; round < arena.rounds; ++round) {
    const auto out = box.attempt();
    if (out) check_masked(*out, round);
  }
}

void proc_and_link(const Arena &arena) { kernel_directory(arena, true); }
void proc_and_directory(const Arena &arena) { kernel_directory(arena, false); }

// The source of masks, and a masked path, in a /dev that is shared.
void mask_source(const Arena &arena) {
  Box box(arena);
  const std::string shared_dev = box.bundle.dir() + "/dev";
  make_directories(shared_dev, 0755);
  for (const char *path : {"/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"})
    box.bundle.remove_mount(path);
  box.directory("/dev");
  box.put("/hidden", "hidden");
  box.bundle.config["linux"]["maskedPaths"] = {"/hidden"};
  box.bundle.script("grep ' /hidden ' /proc/self/mountinfo");
  box.must_work(" /hidden ");
  box.link("/proc/sys/kernel/hostname", "/dev/null-link");
  const Swapper swapper(box.bundle.rootfs("/dev/null"), box.bundle.rootfs("/dev/null-link"));
  for (int round = 0; round < arena.rounds; ++round) {
    const auto out = box.attempt();
    if (out && (has(*out, "hostname") || !has(*out, " /hidden ")))
      throw Breach{"round " + std::to_string(round) + ": what masks is the image's: " + *out};
  }
}

void masked_path(const Arena &arena) {
  Box box(arena);
  box.directory("/volume");
  box.put("/volume/hidden", "hidden");
  box.bundle.config["linux"]["maskedPaths"] = {"/volume/hidden"};
  box.bundle.script("cat /volume/hidden; cat /proc/self/mountinfo");
  if (has(box.must_work("/volume/hidden"), "hidden\n/")) throw Error("the twin masks nothing");
  box.link(box.secret(), "/volume/link");
  const Swapper swapper(box.bundle.rootfs("/volume/hidden"), box.bundle.rootfs("/volume/link"));
  for (int round = 0; round < arena.rounds; ++round) {
    (void)box.attempt();
    if (round % 16 == 0) box.decoy_is_untouched();
  }
  box.decoy_is_untouched();
  if (!mounts_with(box.decoy()).empty()) throw Breach{"the host has a new mount"};
}

// CVE-2025-52881: a value of the configuration is written to another file than
// is meant.
void sysctl_target(const Arena &arena) {
  Box box(arena);
  box.directory("/fake/net/ipv4");
  box.put("/fake/net/ipv4/ip_forward", "0");
  box.bundle.config["linux"]["sysctl"] = {{"net.ipv4.ip_forward", "1"}};
  box.bundle.config["linux"].erase("readonlyPaths");
  box.bundle.config["linux"].erase("maskedPaths");
  box.bundle.script("cat /proc/sys/net/ipv4/ip_forward");
  box.must_work("1");
  box.directory("/fakeproc/sys/net/ipv4");
  box.put("/fakeproc/sys/net/ipv4/ip_forward", "0");
  const SharedName shared(box, "/proc", "fakeproc");
  for (int round = 0; round < arena.rounds; ++round) {
    (void)box.attempt();
    if (read_file(box.bundle.rootfs("/fakeproc/sys/net/ipv4/ip_forward")) != "0")
      throw Breach{"round " + std::to_string(round) + ": a file of the image was written"};
  }
}

// What is copied up into a tmpfs comes from the image.
void copy_up(const Arena &arena) {
  Box box(arena);
  box.directory("/volume/etc");
  box.put("/volume/etc/file", "good");
  box.bundle.mount("/volume", "tmpfs", "tmpfs", {"tmpcopyup", "mode=755"});
  box.bundle.script("cat /volume/etc/*");
  box.must_work("good");
  box.link(box.secret(), "/volume/etc/link");
  const Swapper files(box.bundle.rootfs("/volume/etc/file"), box.bundle.rootfs("/volume/etc/link"));
  const SharedName directories(box, "/volume/sub", box.decoy());
  box.bundle.script("cat /volume/etc/* /volume/sub/* /volume/sub-link/*; true");
  for (int round = 0; round < arena.rounds; ++round)
    if (const auto out = box.attempt()) box.tells_no_secret(*out);
}

void device_directory(const Arena &arena) {
  Box box(arena);
  box.directory("/volume/dev");
  box.bundle.config["linux"]["devices"] = {{{"path", "/volume/dev/loopy"},
                                            {"type", "c"},
                                            {"major", 1},
                                            {"minor", 3},
                                            {"fileMode", 0666},
                                            {"uid", 1000},
                                            {"gid", 1000}}};
  box.bundle.script("ls -ln /volume/dev/loopy");
  box.must_work("1000");
  const SharedName shared(box, "/volume/dev", box.decoy());
  for (int round = 0; round < arena.rounds; ++round) {
    (void)box.attempt();
    box.decoy_is_untouched();
    for (const char *name : {"/volume/dev/loopy", "/volume/dev-link/loopy"})
      (void)unlink(box.bundle.rootfs(name).c_str());
  }
}

void working_directory(const Arena &arena) {
  Box box(arena);
  box.directory("/volume/home");
  box.bundle.config["process"]["cwd"] = "/volume/home/deep";
  box.bundle.script("cat secret ../secret ../../secret; true");
  box.must_work();
  const SharedName shared(box, "/volume/home", box.decoy());
  for (int round = 0; round < arena.rounds; ++round) {
    if (const auto out = box.attempt()) box.tells_no_secret(*out);
    box.decoy_is_untouched();
    for (const char *name : {"/volume/home/deep", "/volume/home-link/deep"})
      (void)rmdir(box.bundle.rootfs(name).c_str());
  }
}

constexpr Attack kAttacks[] = {
    {"race-mount", "CVE-2021-30465", "the destination of a mount is exchanged for a link",
     mount_target},
    {"race-mkdir", "CVE-2024-45310", "a directory in which a destination is made is exchanged",
     mount_target_is_made},
    {"race-proc-link", "CVE-2019-19921, CVE-2023-27561",
     "/proc is exchanged for a link before it is masked", proc_and_link},
    {"race-proc", "CVE-2019-19921, CVE-2023-27561",
     "/proc is exchanged for a directory before it is masked", proc_and_directory},
    {"race-mask-source", "CVE-2025-31133, CVE-2025-62161",
     "/dev/null is exchanged for a link into /proc/sys", mask_source},
    {"race-masked-path", "", "a masked path is exchanged for a link to the host", masked_path},
    {"race-sysctl", "CVE-2025-52881, CVE-2025-62596",
     "/proc is exchanged for the image's while parameters are written", sysctl_target},
    {"race-copy-up", "", "files that are copied up are exchanged for links to the host", copy_up},
    {"race-device", "", "the directory of a device is exchanged for a link to the host",
     device_directory},
    {"race-cwd", "", "the working directory is exchanged for a link to the host",
     working_directory},
};

}  // namespace

std::span<const Attack> race_attacks() { return kAttacks; }

}  // namespace hull::conformance

// Images whose files are symbolic links, hard links or something else where the
// runtime expects a directory or a device.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "conformance/attacks/box.h"
#include "conformance/container/socket.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr char kMountinfo[] = "cat /proc/self/mountinfo";

bool has(const std::string &text, const std::string &part) {
  return text.find(part) != std::string::npos;
}

// The config of an image that brings its own /dev.
void without_dev(Box &box) {
  for (const char *path : {"/dev", "/dev/pts", "/dev/shm", "/dev/mqueue"})
    box.bundle.remove_mount(path);
}

void kernel_directory_is_link(const Arena &arena, const char *path, const char *type) {
  Box box(arena);
  box.bundle.script("stat -f -c %T " + std::string(path) + "/.");
  box.bundle.config["linux"].erase("maskedPaths");
  box.bundle.config["linux"].erase("readonlyPaths");
  box.bundle.remove_mount("/sys/fs/cgroup");
  box.must_work(type);
  box.directory("/elsewhere");
  box.link("elsewhere", path);
  if (const auto out = box.attempt())
    throw Breach{std::string(path) + " was mounted through a link of the image: " + *out};
}

void proc_is_link(const Arena &arena) { kernel_directory_is_link(arena, "/proc", "proc"); }
void sys_is_link(const Arena &arena) { kernel_directory_is_link(arena, "/sys", "sysfs"); }

void dev_is_link(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.bundle.script("test -L /dev/ptmx && echo made");
  box.must_work("made");
  box.link(box.decoy(), "/dev");
  (void)box.attempt();
  box.decoy_is_untouched();
}

// The link leads into a directory of the host that the container has by a
// mount, read-only for it.
void dev_is_link_to_volume(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.directory("/volume");
  box.bundle.bind(box.decoy(), "/volume", {"bind", "ro"});
  box.bundle.script("test -L /dev/ptmx && echo made");
  box.must_work("made");
  box.link("/volume", "/dev");
  (void)box.attempt();
  box.decoy_is_untouched();
}

void mount_target_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.mount("/mnt/x", "tmpfs", "attackmark", {"nosuid"});
  box.bundle.script(kMountinfo);
  box.must_work("attackmark");
  box.link(box.decoy(), "/mnt");
  if (const auto out = box.attempt(); out && !has(*out, "attackmark"))
    throw Breach{"the mount is not in the container"};
  box.decoy_is_untouched();
}

void mount_target_climbs(const Arena &arena) {
  Box box(arena);
  box.bundle.script(kMountinfo);
  box.bundle.mount("/mnt/x", "tmpfs", "attackmark", {"nosuid"});
  box.must_work("attackmark");
  for (const std::string up : {"/../../..", "/mnt/../../../..", "../../..", "/bin/../../.."}) {
    box.bundle.config["mounts"].back()["destination"] = up + box.decoy() + "/directory";
    if (const auto out = box.attempt(); out && !has(*out, "attackmark"))
      throw Breach{"the mount is not in the container"};
    box.decoy_is_untouched();
    // The host's mounts of this place.
    for (const std::string &mount : mounts_with(box.decoy()))
      throw Breach{"the host has a new mount: " + mount};
  }
}

void mount_file_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.bind(box.secret(), "/mnt/file", {"bind", "ro"});
  box.bundle.script("cat /mnt/file");
  box.must_work("secret");
  box.link(box.decoy() + "/new", "/mnt/file");
  (void)box.attempt();
  box.decoy_is_untouched();
}

void device_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.config["linux"]["devices"] = {{{"path", "/mnt/loopy"},
                                            {"type", "c"},
                                            {"major", 1},
                                            {"minor", 3},
                                            {"fileMode", 0666},
                                            {"uid", 1000},
                                            {"gid", 1000}}};
  box.bundle.script("ls -ln /mnt/loopy");
  box.must_work("1000");
  box.link(box.decoy(), "/mnt");
  (void)box.attempt();
  box.decoy_is_untouched();
  box.drop("/mnt");
  box.directory("/mnt");
  box.link(box.secret(), "/mnt/loopy");
  (void)box.attempt();
  box.decoy_is_untouched();
}

// A name of a file with a secret where a device is to be: its owner and mode
// would be changed.
void device_is_hard_link(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.directory("/dev");
  box.bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  box.bundle.script("echo x > /dev/null && echo wrote");
  box.must_work("wrote");
  box.drop("/dev/null");
  if (::link(box.secret().c_str(), box.bundle.rootfs("/dev/null").c_str()) != 0)
    throw NotApplicable{"hard links can't be made here"};
  (void)box.attempt();
  const std::string now = read_file(box.secret());
  box.drop("/dev/null");
  if (now.empty()) throw Breach{"the file was emptied"};
  box.decoy_is_untouched();
}

// Runs with a terminal whose master comes back by a socket.
Outcome create_with_terminal(const Box &box, const std::string &socket) {
  return box.create({"--console-socket", socket});
}

void console_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.config["process"]["terminal"] = true;
  box.bundle.script("tty; sleep 30");
  for (const char *path : {"/dev/shm", "/dev/mqueue", "/dev"}) box.bundle.remove_mount(path);
  box.directory("/dev/pts");
  const Listener socket(box.bundle.dir() + "/console");
  const Outcome twin = create_with_terminal(box, socket.path());
  if (twin.exit_code != 0) throw Error("the harmless twin does not work: " + twin.err);
  (void)socket.receive();
  box.remove();
  box.link(box.decoy() + "/new", "/dev/console");
  const Outcome done = create_with_terminal(box, socket.path());
  if (done.exit_code == 0) box.remove();
  box.decoy_is_untouched();
  box.link(box.secret(), "/dev/console");
  const Outcome again = create_with_terminal(box, socket.path());
  if (again.exit_code == 0) box.remove();
  box.decoy_is_untouched();
}

// The image's /dev/null leads to a file: standard streams become that file, and
// are given away.
void null_is_link(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.directory("/dev");
  box.bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  box.bundle.script("echo here");
  box.must_work("here");
  box.put("/etc/victim", "root's", 0600);
  box.link("/etc/victim", "/dev/null");
  const auto out = box.attempt();
  struct stat info {};
  if (stat(box.bundle.rootfs("/etc/victim").c_str(), &info) != 0 || info.st_uid != 0 ||
      read_file(box.bundle.rootfs("/etc/victim")) != "root's")
    throw Breach{"a file of root's was given away or written"};
  if (out && !has(*out, "here")) throw Breach{"the output went elsewhere"};
}

void null_is_file(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.directory("/dev");
  box.bundle.script("echo here");
  box.must_work("here");
  box.put("/dev/null", "");
  const std::string script = "exec " + arena.runtime.path + " --root " + box.bundle.dir() +
                             "/state run --bundle " + box.bundle.dir() + " " + box.id() + " | cat";
  box.bundle.save();
  const Outcome done = run_command({"/bin/busybox", "sh", "-c", script});
  const bool in_file = !read_file(box.bundle.rootfs("/dev/null")).empty();
  if (in_file) throw Breach{"the output went to a file of the image"};
  if (!has(done.out, "here") && done.err.empty()) throw Breach{"the output is lost"};
}

// What the caller gives as standard streams belongs to the host, not to the
// container's user.
void streams_are_given_away(const Arena &arena) {
  Box box(arena);
  box.bundle.script("id -u");
  box.bundle.config["process"]["user"] = {{"uid", 1000}, {"gid", 1000}};
  struct stat before {
  }, after{};
  if (stat("/dev/null", &before) != 0) throw Error("looking at /dev/null", "stat", errno);
  box.must_work("1000");  // its standard input is /dev/null
  const std::string script = "exec " + arena.runtime.path + " --root " + box.bundle.dir() +
                             "/state run --bundle " + box.bundle.dir() + " " + box.id() + " < " +
                             box.secret() + " >> " + box.decoy() + "/directory/log";
  write_file(box.decoy() + "/directory/log", "");
  const Outcome done = run_command({"/bin/busybox", "sh", "-c", script});
  if (stat("/dev/null", &after) != 0) throw Error("looking at /dev/null", "stat", errno);
  if (after.st_uid != before.st_uid) {
    if (chown("/dev/null", before.st_uid, before.st_gid) != 0)
      throw Error("taking back /dev/null", "chown", errno);
    throw Breach{"the host's /dev/null belongs to the container's user"};
  }
  for (const std::string &file : {box.secret(), box.decoy() + "/directory/log"})
    if (stat(file.c_str(), &after) != 0 || after.st_uid == 1000)
      throw Breach{"a file of the host's belongs to the container's user: " + file};
  (void)done;
}

// What masks a file comes from the image.
void mask_source_is_link(const Arena &arena) {
  Box box(arena);
  without_dev(box);
  box.directory("/dev");
  box.put("/hidden", "hidden");
  box.bundle.config["linux"]["maskedPaths"] = {"/hidden"};
  box.bundle.script("cat /hidden; grep ' /hidden ' /proc/self/mountinfo");
  if (has(box.must_work(" /hidden "), "hidden\n/")) throw Error("the twin masks nothing");
  box.link("/proc/sys/kernel/hostname", "/dev/null");
  const auto out = box.attempt();
  if (out && (has(*out, "hostname") || !has(*out, " /hidden ")))
    throw Breach{"what masks is chosen by the image: " + *out};
}

void masked_path_is_link(const Arena &arena) {
  Box box(arena);
  box.directory("/hidden");
  box.put("/hidden/file", "x");
  box.bundle.config["linux"]["maskedPaths"] = {"/hidden"};
  box.bundle.config["linux"]["readonlyPaths"] = {"/hidden"};
  box.bundle.script("ls /hidden; echo end; cat /proc/self/mountinfo");
  if (has(box.must_work("end"), "file\nend")) throw Error("the twin masks nothing");
  box.drop("/hidden");
  box.link(box.decoy(), "/hidden");
  (void)box.attempt();
  box.link("/hidden", "/hidden");
  (void)box.attempt();
  box.decoy_is_untouched();
  if (!mounts_with(box.decoy()).empty()) throw Breach{"the host has a new mount"};
}

void cwd_is_link(const Arena &arena) {
  Box box(arena);
  box.bundle.config["process"]["cwd"] = "/mnt/a/b";
  box.bundle.script("pwd; cat ../../secret ../secret secret 2>/dev/null; true");
  box.must_work("/mnt/a/b");
  box.drop("/mnt");
  box.link(box.decoy(), "/mnt");
  if (const auto out = box.attempt()) box.tells_no_secret(*out);
  box.decoy_is_untouched();
}

constexpr Attack kAttacks[] = {
    {"proc-link", "CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2025-54867",
     "/proc of the image is a link", proc_is_link},
    {"sys-link", "CVE-2025-54867", "/sys of the image is a link", sys_is_link},
    {"dev-link", "CVE-2026-41579, CVE-2026-47766", "/dev of the image is a link to the host",
     dev_is_link},
    {"dev-link-volume", "CVE-2026-41579, CVE-2026-47766", "/dev of the image is a link to a volume",
     dev_is_link_to_volume},
    {"mount-link", "CVE-2019-18837", "a mount's destination leads through a link to the host",
     mount_target_is_link},
    {"mount-climb", "", "a mount's destination has \"..\"", mount_target_climbs},
    {"mount-file-link", "CVE-2025-24965", "the file that a bind mount covers is a link to the host",
     mount_file_is_link},
    {"device-link", "", "a device's directory or name is a link to the host", device_is_link},
    {"device-hard-link", "", "/dev/null of the image is another name of a file of the host's",
     device_is_hard_link},
    {"console-link", "CVE-2026-88264", "/dev/console of the image is a link to the host",
     console_is_link},
    {"null-link", "CVE-2026-88265", "/dev/null of the image is a link to a file of root's",
     null_is_link},
    {"null-file", "CVE-2026-88265", "/dev/null of the image is a file: where does the output go?",
     null_is_file},
    {"stdio-owner", "CVE-2026-88265", "the caller's files and /dev/null as standard streams",
     streams_are_given_away},
    {"mask-link", "CVE-2025-31133, CVE-2025-62161",
     "/dev/null of the image, which masks files, is a link into /proc/sys", mask_source_is_link},
    {"masked-link", "", "a masked path is a link to the host, or to itself", masked_path_is_link},
    {"cwd-link", "", "the working directory leads through a link to the host", cwd_is_link},
};

}  // namespace

std::span<const Attack> link_attacks() { return kAttacks; }

}  // namespace hull::conformance

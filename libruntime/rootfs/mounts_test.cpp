#include "libruntime/rootfs/mounts.h"

#include <linux/magic.h>
#include <sys/statfs.h>
#include <sys/xattr.h>

#include <csignal>
#include <cstdio>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

constexpr uint64_t kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool contains(const std::string& text, const std::string& part) {
  if (text.find(part) != std::string::npos) return true;
  UNSCOPED_INFO(quote(text) << " lacks " << part);
  return false;
}

// What prepare() of the scene says; `look` runs after it, with the root's path on the host.
template <class Look>
std::string prepared(const Scene& scene, Look look) {
  return in_mount_namespace([&] {
    const Fd root = prepare(scene);
    look(scene.plan.path);
  });
}
std::string refusal(const Scene& scene) {
  return prepared(scene, [](const std::string&) {});
}

}  // namespace

TEST_CASE("new file systems get their type, flags and data", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/proc", "proc", "proc", kQuiet);
  scene.add("/dev", "tmpfs", "tmpfs", MS_NOSUID | MS_STRICTATIME, "mode=755,size=65536k");
  scene.add("/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC,
            "newinstance,ptmxmode=0666,mode=0620,gid=5");
  scene.add("/dev/mqueue", "mqueue", "mqueue", kQuiet);
  scene.add("/sys", "sysfs", "sysfs", kQuiet | MS_RDONLY);
  scene.add("run/deep/er", "tmpfs", "run", MS_NOSYMFOLLOW | MS_NOATIME, "size=1m,mode=1777");
  CHECK(prepared(scene, [](const std::string& root) {
          expect_equal(mount_at(root + "/proc").fs_type, "proc");
          expect_equal(mount_at(root + "/proc").options, "rw,nosuid,nodev,noexec,relatime");
          expect_equal(mount_at(root + "/dev").options, "rw,nosuid");
          expect_equal(mount_at(root + "/dev").super_options, "rw,size=65536k,mode=755");
          expect_equal(mount_at(root + "/dev/pts").super_options, "rw,gid=5,mode=620,ptmxmode=666");
          expect_equal(mount_at(root + "/dev/mqueue").fs_type, "mqueue");
          expect_equal(mount_at(root + "/sys").options, "ro,nosuid,nodev,noexec,relatime");
          const MountInfo run = mount_at(root + "/run/deep/er");
          expect_equal(run.options, "rw,noatime,nosymfollow");
          expect_equal(run.source, "run");
          expect(has_option(run.super_options, "size=1024k"), "size");
        }) == "");
}

TEST_CASE("a tmpfs without mode= keeps the mode of the directory below", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.make_dir("/root/secret", 02750);
  scene.add("/secret", "tmpfs", "tmpfs");
  scene.add("/explicit", "tmpfs", "tmpfs", 0, "mode=711");
  CHECK(prepared(scene, [](const std::string& root) {
          expect((stat_of(root + "/secret").st_mode & 07777) == 02750, "mode 2750");
          expect((stat_of(root + "/explicit").st_mode & 07777) == 0711, "mode 711");
        }) == "");
}

TEST_CASE("a read-only tmpfs stays writable until the end", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/proc", "proc", "proc");
  scene.add("/run", "tmpfs", "tmpfs", MS_RDONLY, "mode=755");
  scene.add_bind("/run/secrets/one", "/source/file");
  scene.plan.readonly = true;
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          enter(scene.plan, root.get());
          expect(has_option(mount_at("/run").options, "rw"), "writable before");
          make_readonly(scene.plan);
          expect(has_option(mount_at("/run").options, "ro"), "read-only after");
          expect(has_option(mount_at("/").options, "ro"), "root read-only");
          expect_equal(read_file("/run/secrets/one"), "from the host");
        }) == "");
}

TEST_CASE("tmpcopyup copies what lies below without following links", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  const std::string data = scene.base() + "/root/data";
  scene.make_dir("/root/data", 01770);
  scene.make_dir("/root/data/sub", 0700);
  scene.write("/root/data/sub/file", std::string(70000, 'x'));
  scene.link(scene.base() + "/source/file", "/root/data/out");
  REQUIRE(chmod((data + "/sub/file").c_str(), 04751) == 0);
  REQUIRE(chown((data + "/sub/file").c_str(), 12, 34) == 0);
  REQUIRE(chmod((data + "/sub/file").c_str(), 04751) == 0);
  REQUIRE(chown(data.c_str(), 56, 78) == 0);
  REQUIRE(mkfifo((data + "/fifo").c_str(), 0640) == 0);
  const bool labelled = setxattr((data + "/sub/file").c_str(), "trusted.hull", "v", 1, 0) == 0;
  scene.add("/data", "tmpfs", "tmpfs").copy_up = true;
  CHECK(prepared(scene, [&](const std::string& root) {
          const std::string top = root + "/data";
          expect_equal(mount_at(top).fs_type, "tmpfs");
          expect((stat_of(top).st_mode & 07777) == 01770, "mode of the root");
          expect(stat_of(top).st_uid == 56 && stat_of(top).st_gid == 78, "owner of the root");
          expect((stat_of(top + "/sub").st_mode & 07777) == 0700, "mode of a directory");
          const struct stat file = stat_of(top + "/sub/file");
          expect((file.st_mode & 07777) == 04751 && file.st_size == 70000, "mode and size");
          expect(file.st_uid == 12 && file.st_gid == 34, "owner");
          expect(S_ISLNK(stat_of(top + "/out").st_mode), "a link");
          expect(S_ISFIFO(stat_of(top + "/fifo").st_mode), "a FIFO");
          char value = 0;
          if (labelled)
            expect(getxattr((top + "/sub/file").c_str(), "trusted.hull", &value, 1) == 1 &&
                       value == 'v',
                   "an extended attribute");
        }) == "");
}

TEST_CASE("tmpcopyup is for tmpfs only", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/mnt", "mqueue", "mqueue").copy_up = true;
  CHECK(contains(refusal(scene), "tmpcopyup is for mounts of type \"tmpfs\""));
}

TEST_CASE("recursive attributes and propagation are applied to new file systems", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  configs::Mount& mount = scene.add("/mnt", "tmpfs", "tmpfs");
  mount.recursive_set = MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME;
  mount.propagation = {MS_SHARED};
  CHECK(prepared(scene, [](const std::string& root) {
          expect_equal(mount_at(root + "/mnt").options, "rw,noexec,noatime");
          expect(mount_at(root + "/mnt").propagation.starts_with("shared:"), "shared");
        }) == "");
}

TEST_CASE("proc and sysfs are mounted on real directories only", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const char* type : {"proc", "sysfs"}) {
    Scene scene;
    const std::string dir = type == std::string("proc") ? "/proc" : "/sys";
    scene.remove_dir("/root" + dir);
    scene.link("/etc", "/root" + dir);
    scene.add(dir, type, type);
    CHECK(contains(refusal(scene), "filesystem \"" + std::string(type) +
                                       "\" must be mounted on ordinary directory"));
    Scene file;
    file.remove_dir("/root" + dir);
    file.write("/root" + dir, "");
    file.add(dir, type, type);
    CHECK(contains(refusal(file), "must be mounted on ordinary directory"));
    Scene below;
    below.link("/etc", "/root/link");
    below.add("/link/proc", type, type);
    CHECK(contains(refusal(below), "must be mounted on ordinary directory"));
    CHECK_FALSE(exists(below.base() + "/root/etc/proc"));
  }
}

TEST_CASE("nothing but proc is mounted over proc", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const char* destination : {"/proc", "//proc/.", "/etc/../proc"}) {
    Scene scene;
    scene.add("/proc", "proc", "proc");
    scene.add_bind(destination, "/source");
    CHECK(contains(refusal(scene), "cannot be mounted because it is not of type proc"));
  }
  for (const char* destination : {"/proc/self/attr", "/proc/sys/kernel"}) {
    Scene scene;
    scene.add("/proc", "proc", "proc");
    scene.add(destination, "tmpfs", "tmpfs");
    CHECK(contains(refusal(scene), "cannot be mounted because it is inside /proc"));
  }
}

TEST_CASE("proc is not reached by a link either", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.link("/proc/sys", "/root/link");
  scene.link("proc", "/root/short");
  scene.add("/proc", "proc", "proc");
  scene.add("/link/kernel", "tmpfs", "tmpfs");
  CHECK(contains(refusal(scene), "it is inside /proc"));
  scene.plan.mounts.back().destination = "/short";
  CHECK(contains(refusal(scene), "it is not of type proc"));
}

TEST_CASE("what lxcfs emulates and the host's proc may be bound on proc", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/proc", "bind", "/proc", MS_BIND | MS_REC);
  scene.add_bind("/proc/uptime", "/source/file");
  CHECK(prepared(scene, [](const std::string& root) {
          expect_equal(read_file(root + "/proc/uptime"), "from the host");
          expect_equal(mount_at(root + "/proc").fs_type, "proc");
        }) == "");
}

TEST_CASE("a mount stays inside the root whatever links the image has", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.link(scene.base() + "/decoy", "/root/absolute");
  scene.link("../../../../../../../.." + scene.base() + "/decoy", "/root/relative");
  scene.add("/absolute/x", "tmpfs", "tmpfs");
  scene.add_bind("/relative/file", "/source/file");
  CHECK(prepared(scene, [&](const std::string& root) {
          expect_equal(mount_at(root + scene.base() + "/decoy/x").fs_type, "tmpfs");
          expect_equal(read_file(root + scene.base() + "/decoy/file"), "from the host");
        }) == "");
  CHECK(scene.decoy_is_empty());
}

// CVE-2021-30465 and CVE-2024-45310: another container swaps a directory for a link all the time.
TEST_CASE("a mount never leaves the root while its path is being swapped", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.make_dir("/root/volume");
  scene.make_dir("/root/volume/dir");
  scene.link(scene.base() + "/decoy", "/root/volume/link");
  scene.add("/proc", "proc", "proc");
  scene.add("/volume/dir/deep/tmp", "tmpfs", "tmpfs");
  scene.add_bind("/volume/dir/file", "/source/file");
  const std::string dir = scene.plan.path + "/volume/dir";
  const std::string link = scene.plan.path + "/volume/link";
  const pid_t swapper = fork();
  if (swapper == 0) {
    for (;;) renameat2(AT_FDCWD, dir.c_str(), AT_FDCWD, link.c_str(), RENAME_EXCHANGE);
  }
  int inside = 0;
  int leaked = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string error = in_mount_namespace([&] {
      if (round % 2 == 1) forbid({SYS_openat2});
      const Fd root = prepare(scene);
      for (const MountInfo& one : read_mountinfo())
        expect(!one.mount_point.starts_with(scene.base() + "/decoy"), "nothing on the decoy");
    });
    if (error.empty()) ++inside;
    if (error.find("nothing on the decoy") != std::string::npos) ++leaked;
  }
  kill(swapper, SIGKILL);
  waitpid(swapper, nullptr, 0);
  CHECK(leaked == 0);
  CHECK(inside > 0);  // else the test tests nothing
  CHECK(scene.decoy_is_empty());
}

TEST_CASE("the mount point of a file is made where a dangling link leads", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.link("../run/resolv.conf", "/root/etc/resolv.conf");
  scene.add_bind("/etc/resolv.conf", "/source/file");
  CHECK(prepared(scene, [](const std::string& root) {
          expect_equal(read_file(root + "/run/resolv.conf"), "from the host");
        }) == "");
}

TEST_CASE("a failed mount names its place in the config", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/proc", "proc", "proc");
  scene.add_bind("/etc", "/source/file");
  const std::string text = refusal(scene);
  CHECK(contains(text, "(/mounts/1)"));
  CHECK(contains(text, "not a directory"));
  CHECK(contains(text, "Are you trying to mount a directory onto a file (or vice-versa)?"));
  scene.plan.mounts[1].source = "/nonexistent/source";
  CHECK(contains(refusal(scene), "the source \"/nonexistent/source\" does not exist on the host"));
  scene.plan.mounts[1] = scene.plan.mounts[0];
  scene.plan.mounts[1].type = "none";
  scene.plan.mounts[1].destination = "/mnt";
  CHECK(contains(refusal(scene), "is this meant to be a bind mount?"));
  scene.plan.mounts[1].type = "nosuchfs";
  CHECK(contains(refusal(scene), "no such device"));
  scene.plan.mounts[1].type = "tmpfs";
  scene.plan.mounts[1].data = std::string(5000, 'x');
  CHECK(contains(refusal(scene), "longer than 4095 bytes"));
  scene.plan.mounts[1].destination = "/";
  CHECK(contains(refusal(scene), "the destination is the root file system itself"));
}

TEST_CASE("the tty group is dropped from devpts when it has no mapping", "[rootfs]") {
  plan::Rootfs plan;
  const std::string data = "newinstance,gid=5,mode=0620";
  CHECK(without_unmapped_tty_group(data, plan) == data);
  plan.user_namespace = true;
  CHECK(without_unmapped_tty_group(data, plan) == "newinstance,mode=0620");
  plan.gid_mappings = {{0, 100000, 5}};
  CHECK(without_unmapped_tty_group(data, plan) == "newinstance,mode=0620");
  plan.gid_mappings = {{0, 1000, 1}, {1, 100000, 5}};
  CHECK(without_unmapped_tty_group(data, plan) == data);
}

TEST_CASE("a SELinux label becomes a context option", "[rootfs]") {
  CHECK(with_label("mode=755", "") == "mode=755");
  CHECK(with_label("", "a:b:c:s0:c1,c2") == "context=\"a:b:c:s0:c1,c2\"");
  CHECK(with_label("mode=755", "l") == "mode=755,context=\"l\"");
}

}  // namespace hull::rootfs

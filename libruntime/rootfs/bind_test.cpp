#include "libruntime/rootfs/bind.h"

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

void host_mount(const std::string& path, uint64_t flags, const char* data = "") {
  expect(::mount("host", path.c_str(), "tmpfs", flags, data) == 0, "a mount at " + path);
}

}  // namespace

TEST_CASE("a bind shows files and directories of the host", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool old_kernel : {false, true}) {
    Scene scene;
    scene.add_bind("/mnt", "/source", MS_NOSUID | MS_RDONLY);
    scene.add_bind("/new/dir", "/source");
    scene.add_bind("/new/file", "/source/file", MS_NOEXEC);
    CHECK(in_mount_namespace([&] {
            if (old_kernel) forbid({SYS_openat2, SYS_open_tree, SYS_mount_setattr});
            const Fd root = prepare(scene);
            const std::string path = scene.plan.path;
            expect_equal(read_file(path + "/mnt/file"), "from the host");
            expect_equal(mount_at(path + "/mnt").options, "ro,nosuid,relatime");
            expect_equal(mount_at(path + "/new/dir").options, "rw,relatime");
            expect_equal(read_file(path + "/new/file"), "from the host");
            expect_equal(mount_at(path + "/new/file").options, "rw,noexec,relatime");
          }) == "");
  }
}

TEST_CASE("a bind keeps the options of its source that are not switched off", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add_bind("/mnt/plain", "/source");
  scene.add_bind("/mnt/ro", "/source", MS_RDONLY);
  scene.add_bind("/mnt/dev", "/source").clear_flags = MS_NODEV | MS_NOATIME;
  CHECK(in_mount_namespace([&] {
          host_mount(scene.base() + "/source", MS_NOSUID | MS_NODEV | MS_NOATIME);
          const Fd root = prepare(scene);
          const std::string mnt = scene.plan.path + "/mnt";
          expect_equal(mount_at(mnt + "/plain").options, "rw,nosuid,nodev,noatime");
          expect_equal(mount_at(mnt + "/ro").options, "ro,nosuid,nodev,noatime");
          expect_equal(mount_at(mnt + "/dev").options, "rw,nosuid,relatime");
          expect_equal(mount_at(scene.base() + "/source").options, "rw,nosuid,nodev,noatime");
        }) == "");
}

TEST_CASE("rbind takes the mounts below along and rro reaches them", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.make_dir("/source/sub");
  scene.add_bind("/mnt/bind", "/source");
  scene.add_bind("/mnt/rbind", "/source", MS_REC | MS_RDONLY);
  scene.add_bind("/mnt/rro", "/source", MS_REC).recursive_set = MOUNT_ATTR_RDONLY;
  CHECK(in_mount_namespace([&] {
          host_mount(scene.base() + "/source/sub", 0, "mode=700");
          const Fd root = prepare(scene);
          const std::string mnt = scene.plan.path + "/mnt";
          expect((stat_of(mnt + "/bind/sub").st_mode & 0777) == 0755, "bind: nothing below");
          expect_equal(mount_at(mnt + "/rbind").options, "ro,relatime");
          expect_equal(mount_at(mnt + "/rbind/sub").options, "rw,relatime");
          expect_equal(mount_at(mnt + "/rro").options, "ro,relatime");
          expect_equal(mount_at(mnt + "/rro/sub").options, "ro,relatime");
        }) == "");
}

TEST_CASE("a bind gets the propagation that is asked for", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add_bind("/mnt/slave", "/source", MS_REC);
  scene.add_bind("/mnt/private", "/source", MS_REC).propagation = {MS_PRIVATE | MS_REC};
  scene.add_bind("/mnt/shared", "/source", MS_REC).propagation = {MS_SHARED | MS_REC};
  CHECK(in_mount_namespace([&] {
          host_mount(scene.base() + "/source", 0);
          expect(::mount(nullptr, (scene.base() + "/source").c_str(), nullptr, MS_SHARED,
                         nullptr) == 0,
                 "shared");
          scene.plan.propagation = MS_SLAVE | MS_REC;
          const Fd root = prepare(scene);
          const std::string mnt = scene.plan.path + "/mnt";
          expect_equal(mount_at(mnt + "/private").propagation, "");
          expect(mount_at(mnt + "/shared").propagation.starts_with("shared:"), "shared");
        }) == "");
}

TEST_CASE("a bind takes no options of a file system", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add_bind("/mnt", "/source").data = "size=1m";
  CHECK(in_mount_namespace([&] {
          prepare(scene);
        }).find("bind mounts cannot have any filesystem-specific options applied") !=
        std::string::npos);
}

TEST_CASE("a bind mount of a link, or on a link, is not led away", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool old_kernel : {false, true}) {
    Scene scene;
    scene.link("file", "/source/link");
    scene.link("/etc/passwd", "/root/etc/covered");
    scene.write("/root/etc/passwd", "untouched");
    scene.add_bind("/mnt/link", "/source/link").source_nofollow = true;
    scene.add_bind("/etc/covered", "/source/file", MS_RDONLY).destination_nofollow = true;
    scene.add_bind("/new/place", "/source/file").destination_nofollow = true;
    CHECK(in_mount_namespace([&] {
            if (old_kernel) forbid({SYS_openat2, SYS_open_tree, SYS_mount_setattr});
            const Fd root = prepare(scene);
            const std::string path = scene.plan.path;
            expect(S_ISLNK(stat_of(path + "/mnt/link").st_mode), "the link itself");
            expect_equal(read_file(path + "/etc/covered"), "from the host");
            expect(has_option(mount_at(path + "/etc/covered").options, "ro"), "read-only");
            expect_equal(read_file(path + "/etc/passwd"), "untouched");
            expect_equal(read_file(path + "/new/place"), "from the host");
          }) == "");
  }
}

TEST_CASE("a link is copied, anything else bound", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.link("../nowhere", "/source/link");
  scene.link("../nowhere", "/root/mnt/there");
  const auto add = [&](const char* place, const char* source) {
    scene.add_bind(place, source).copy_symlink = true;
  };
  add("/new/dir/link", "/source/link");
  add("/mnt/there", "/source/link");
  add("/mnt/file", "/source/file");
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          const std::string path = scene.plan.path;
          for (const char* link : {"/new/dir/link", "/mnt/there"}) {
            char target[16] = "";
            expect(readlink((path + link).c_str(), target, sizeof target - 1) == 10, link);
            expect_equal(target, "../nowhere");
          }
          expect_equal(read_file(path + "/mnt/file"), "from the host");
        }) == "");
  scene.write("/root/etc/other", "");
  add("/etc/other", "/source/link");
  CHECK(in_mount_namespace([&] {
          prepare(scene);
        }).find("something that is not the link to \"../nowhere\" exists") != std::string::npos);
}

TEST_CASE("a bind with remount changes what is mounted there", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add("/mnt", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV);
  configs::Mount& again = scene.add_bind("/mnt", "/source", MS_REMOUNT | MS_RDONLY | MS_NOATIME);
  again.clear_flags = MS_NODEV;
  CHECK(in_mount_namespace([&] {
          const Fd root = prepare(scene);
          const MountInfo found = mount_at(scene.plan.path + "/mnt");
          expect_equal(found.fs_type, "tmpfs");
          expect_equal(found.options, "ro,nosuid,noatime");
        }) == "");
  scene.plan.mounts.erase(scene.plan.mounts.begin());
  CHECK(in_mount_namespace([&] { prepare(scene); }) != "");
}

TEST_CASE("an idmapped bind shows other owners", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.write("/source/owned", "");
  REQUIRE(chown((scene.base() + "/source/owned").c_str(), 10, 20) == 0);
  configs::Mount& mount = scene.add_bind("/mnt", "/source");
  mount.uid_mappings = {{0, 100000, 65536}};
  mount.gid_mappings = {{0, 200000, 65536}};
  const std::string error = in_mount_namespace([&] {
    const Fd root = prepare(scene);
    const struct stat info = stat_of(scene.plan.path + "/mnt/owned");
    expect(info.st_uid == 100010 && info.st_gid == 200020, "mapped owners");
  });
  if (error.find("does not support idmapped mounts") != std::string::npos)
    HULL_SKIP("the file system of /tmp has no idmapped mounts");
  CHECK(error == "");
}

TEST_CASE("in a user namespace the launcher gives the sources that its root can't reach",
          "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.plan.user_namespace = true;
  scene.make_dir("/closed", 0700);
  scene.make_dir("/closed/source");
  scene.write("/closed/source/file", "out of reach");
  scene.add_bind("/mnt", "/closed/source", MS_RDONLY);
  scene.add_bind("/open", "/source");
  CHECK(in_mount_namespace([&] {
          expect(chmod(scene.base().c_str(), 0755) == 0, "chmod");
          for (const char* dir : {"/root", "/root/mnt", "/root/dev"})
            expect(chown((scene.base() + dir).c_str(), 1000, 1000) == 0, "chown");
          const Fd source = clone_source(scene.plan, scene.plan.mounts[0]);
          expect(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0, "setuid");
          if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) throw Error("unshare", "unshare", errno);
          prctl(PR_SET_DUMPABLE, 1);  // or /proc/self would be root's
          write_existing("/proc/self/uid_map", "0 1000 1");
          write_existing("/proc/self/setgroups", "deny");
          write_existing("/proc/self/gid_map", "0 1000 1");
          std::vector<size_t> asked;
          const Fd root = rootfs::prepare(scene.plan, [&](size_t index) {
            asked.push_back(index);
            return Fd(fcntl(source.get(), F_DUPFD_CLOEXEC, 3));
          });
          expect(asked == std::vector<size_t>{0}, "one of the two is asked for");
          expect_equal(read_file(scene.plan.path + "/mnt/file"), "out of reach");
          expect_equal(mount_at(scene.plan.path + "/mnt").options, "ro,relatime");
        }) == "");
}

TEST_CASE("a source made by the launcher passes no mounts on to the host", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.add_bind("/mnt", "/source", MS_REC);
  CHECK(in_mount_namespace([&] {
          const std::string source = scene.base() + "/source";
          host_mount(source, 0);
          expect(::mount(nullptr, source.c_str(), nullptr, MS_SHARED, nullptr) == 0, "shared");
          const auto attached = [&](uint64_t propagation, bool user_namespace) {
            scene.plan.propagation = propagation;
            scene.plan.user_namespace = user_namespace;
            const Fd tree = clone_source(scene.plan, scene.plan.mounts[0]);
            const std::string mnt = scene.plan.path + "/mnt";
            expect(sys::move_mount(tree.get(), "", AT_FDCWD, mnt.c_str(),
                                   MOVE_MOUNT_F_EMPTY_PATH) == 0,
                   "move_mount");
            std::string found = mount_at(mnt).propagation;
            umount2(mnt.c_str(), MNT_DETACH);
            return found.substr(0, found.find(':'));
          };
          expect_equal(attached(0, false), "master");
          expect_equal(attached(MS_PRIVATE | MS_REC, false), "");
          expect_equal(attached(MS_SHARED | MS_REC, false), "shared");
          expect_equal(attached(0, true), "master");
          expect_equal(attached(MS_UNBINDABLE | MS_REC, true), "master");
        }) == "");
}

TEST_CASE("in a user namespace locked options stay, and can't be asked away", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  Scene scene;
  scene.plan.user_namespace = scene.plan.bind_devices = true;
  scene.add_default_devices();
  scene.add("/dev", "tmpfs", "tmpfs", MS_NOSUID, "mode=755");
  scene.add("/dev/pts", "devpts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,gid=5,mode=0620");
  scene.add_bind("/mnt", "/source", MS_RDONLY);
  const auto in_user_namespace = [&](auto look) {
    return in_mount_namespace([&] {
      expect(chmod(scene.base().c_str(), 0755) == 0, "chmod");
      host_mount(scene.base() + "/source", MS_NOSUID | MS_NODEV);
      if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) throw Error("unshare", "unshare", errno);
      write_existing("/proc/self/uid_map", "0 0 1");
      write_existing("/proc/self/setgroups", "deny");
      write_existing("/proc/self/gid_map", "0 0 1");
      const Fd root = prepare(scene);
      look();
    });
  };
  CHECK(in_user_namespace([&] {
          const std::string root = scene.plan.path;
          expect_equal(mount_at(root + "/mnt").options, "ro,nosuid,nodev,relatime");
          expect(S_ISCHR(stat_of(root + "/dev/null").st_mode), "/dev/null is bound");
          expect_equal(mount_at(root + "/dev/null").root, "/null");
          expect_equal(mount_at(root + "/dev/pts").super_options, "rw,mode=620,ptmxmode=000");
        }) == "");
  scene.plan.mounts.back().clear_flags = MS_NOSUID;
  const std::string error = in_user_namespace([] {});
  CHECK(error.find("operation not permitted") != std::string::npos);
  CHECK(error.find("can't be switched off") != std::string::npos);
}

}  // namespace hull::rootfs

#include <sys/sysmacros.h>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

namespace {

// The container with proc, sys and a /dev, its paths protected, then `look` in it.
template <class Look>
std::string protected_container(Scene& scene, Look look) {
  scene.add("/proc", "proc", "proc");
  scene.add("/sys", "sysfs", "sysfs");
  scene.add("/dev", "tmpfs", "tmpfs", MS_NOSUID, "mode=755");
  return in_mount_namespace([&] {
    const Fd root = prepare(scene);
    enter(scene.plan, root.get());
    look([&] { protect_paths(scene.plan); });
  });
}

bool fails_with(int code, const std::string& path) {
  const Fd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
  return !fd && errno == code;
}

}  // namespace

TEST_CASE("masked files are empty and masked directories too", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool old_kernel : {false, true}) {
    Scene scene;
    scene.add_default_devices();
    scene.make_dir("/root/etc/hidden");
    scene.write("/root/etc/hidden/secret", "x");
    scene.write("/root/etc/secret", "x");
    scene.plan.mask_paths = {"/proc/timer_list", "/etc/secret",       "/etc/hidden",
                             "/sys/firmware",    "/proc/nonexistent", "/etc/secret/below"};
    CHECK(protected_container(scene, [&](auto protect) {
            if (old_kernel) forbid({SYS_openat2, SYS_open_tree, SYS_mount_setattr, SYS_fsopen});
            protect();
            expect_equal(read_file("/proc/timer_list"), "");
            expect_equal(read_file("/etc/secret"), "");
            expect(stat_of("/etc/secret").st_rdev == makedev(1, 3), "the null device");
            expect(!exists("/etc/hidden/secret"), "an empty directory");
            expect(fails_with(EROFS, "/etc/hidden/new"), "a read-only directory");
            expect_equal(mount_at("/sys/firmware").fs_type, "tmpfs");
            if (!old_kernel)
              expect_equal(mount_at("/sys/firmware").device, mount_at("/etc/hidden").device);
          }) == "");
  }
}

TEST_CASE("a /dev/null that is something else masks nothing", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const char* target : {"/proc/sys/kernel/hostname", "zero"}) {
    Scene scene;
    scene.add_default_devices();
    scene.plan.mask_paths = {"/proc/timer_list"};
    const std::string error = protected_container(scene, [&](auto protect) {
      expect(unlink("/dev/null") == 0 && symlink(target, "/dev/null") == 0, "swapped");
      protect();
    });
    CHECK(error.find("/dev/null") != std::string::npos);
    CHECK(error.find("(/linux/maskedPaths/0)") != std::string::npos);
  }
  Scene scene;
  scene.plan.devices = {{"/dev/null", 'c', 1, 5, 0666, 0, 0}};
  scene.plan.mask_paths = {"/proc/timer_list"};
  CHECK(protected_container(scene, [](auto protect) {
          protect();
        }).find("is not the null device (char 1:3)") != std::string::npos);
}

TEST_CASE("read-only paths are, with all that is mounted below", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  for (const bool old_kernel : {false, true}) {
    Scene scene;
    scene.make_dir("/root/data");
    scene.write("/root/etc/file", "x");
    scene.link("data", "/root/link");
    scene.add("/data/below", "tmpfs", "tmpfs");
    scene.add("/tight", "tmpfs", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME);
    scene.plan.readonly_paths = {"/proc/sys", "/link", "/etc/file", "/tight", "/nonexistent"};
    CHECK(protected_container(scene, [&](auto protect) {
            if (old_kernel) forbid({SYS_openat2, SYS_mount_setattr});
            protect();
            expect(fails_with(EROFS, "/proc/sys/kernel/hostname"), "proc");
            expect(fails_with(EROFS, "/data/new"), "a directory by its link");
            if (!old_kernel) expect(fails_with(EROFS, "/data/below/new"), "a mount below");
            expect(fails_with(EROFS, "/etc/file"), "a file");
            expect(!fails_with(EROFS, "/etc/other"), "nothing else");
            expect_equal(mount_at("/tight").options, "ro,nosuid,nodev,noatime");
          }) == "");
  }
}

}  // namespace hull::rootfs

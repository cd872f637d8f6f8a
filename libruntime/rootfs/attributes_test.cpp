#include "libruntime/rootfs/attributes.h"

#include <fcntl.h>

#include "libruntime/rootfs/test_scene.h"

namespace hull::rootfs {

using namespace test;

TEST_CASE("mount flags become mount attributes", "[rootfs]") {
  CHECK(attributes_of(0, 0).empty());
  const Attributes plain = attributes_of(
      MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NODIRATIME | MS_NOSYMFOLLOW | MS_BIND, 0);
  CHECK(plain.set == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
                      MOUNT_ATTR_NODIRATIME | MOUNT_ATTR_NOSYMFOLLOW));
  CHECK(plain.clear == 0);
  CHECK(attributes_of(0, MS_RDONLY | MS_NODEV).clear == (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV));
  // What is both set and cleared is set.
  CHECK(attributes_of(MS_NODEV, MS_NODEV).clear == 0);
}

TEST_CASE("an access time mode replaces the one before", "[rootfs]") {
  CHECK(attributes_of(MS_NOATIME, 0).set == MOUNT_ATTR_NOATIME);
  CHECK(attributes_of(MS_NOATIME, 0).clear == MOUNT_ATTR__ATIME);
  CHECK(attributes_of(MS_STRICTATIME, 0).set == MOUNT_ATTR_STRICTATIME);
  CHECK(attributes_of(MS_RELATIME, 0).set == MOUNT_ATTR_RELATIME);
  CHECK(attributes_of(MS_RELATIME, 0).clear == MOUNT_ATTR__ATIME);
}

TEST_CASE("attributes are set by mount_setattr or by a remount", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  const Scene scene;
  for (const bool old_kernel : {false, true}) {
    CHECK(in_mount_namespace([&] {
            const std::string path = scene.base() + "/root/mnt";
            expect(::mount(nullptr, "/", nullptr, MS_PRIVATE | MS_REC, nullptr) == 0, "private");
            expect(::mount("t", path.c_str(), "tmpfs", MS_NOSUID | MS_NOATIME | MS_NODEV, "") == 0,
                   "tmpfs");
            if (old_kernel) forbid({SYS_mount_setattr});
            const Fd fd = open_or_throw(AT_FDCWD, path, O_PATH);
            set_attributes(fd.get(), attributes_of(MS_RDONLY | MS_NOEXEC, MS_NODEV), false);
            expect_equal(mount_at(path).options, "ro,nosuid,noexec,noatime");
            Attributes atime = attributes_of(0, MS_NOATIME);
            resolve_access_time(atime, MS_NOATIME, fd.get());
            set_attributes(fd.get(), atime, false);
            expect_equal(mount_at(path).options, "ro,nosuid,noexec,relatime");
            set_attributes(fd.get(), attributes_of(MS_STRICTATIME, MS_RDONLY), false);
            expect_equal(mount_at(path).options, "rw,nosuid,noexec");
            set_propagation(fd.get(), MS_UNBINDABLE);
            expect_equal(mount_at(path).propagation, "unbindable");
          }) == "");
  }
}

TEST_CASE("a nosymfollow that the kernel dropped is found out", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  const Scene scene;
  const std::string path = scene.base() + "/root/mnt";
  const auto checked = [&](uint64_t flags) {
    return in_mount_namespace([&] {
      expect(::mount("t", path.c_str(), "tmpfs", flags, "") == 0, "tmpfs");
      require_nosymfollow(open_or_throw(AT_FDCWD, path, O_PATH).get());
    });
  };
  CHECK(checked(MS_NOSYMFOLLOW) == "");
  CHECK(checked(0).find("does not know") != std::string::npos);
}

TEST_CASE("a recursive attribute that can't be set is an error", "[rootfs]") {
  HULL_NEEDS_MOUNTS();
  const Scene scene;
  const std::string error = in_mount_namespace([&] {
    const Fd fd = open_or_throw(AT_FDCWD, "/", O_PATH);
    forbid({SYS_mount_setattr}, EPERM);
    set_attributes(fd.get(), {MOUNT_ATTR_RDONLY, 0}, true);
  });
  CHECK(error.find("mount_setattr: operation not permitted") != std::string::npos);
}

}  // namespace hull::rootfs

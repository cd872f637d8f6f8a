// The root file system: path, read-only, propagation, devices, masked and read-only paths.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"

namespace hull::conformance {

TEST_CASE("root.path is relative to the bundle or absolute", "[D4]") {
  Bundle bundle;
  bundle.config["root"]["path"] = bundle.rootfs();
  CHECK(output_of(bundle, "echo absolute") == "absolute");
  bundle.config["root"]["path"] = "./rootfs/";
  CHECK(output_of(bundle, "echo relative") == "relative");
}

TEST_CASE("a root that is missing, a file or a symlink is refused", "[D4]") {
  Bundle bundle;
  bundle.config["root"]["path"] = "absent";
  CHECK(contains(refusal_of(bundle), "absent"));
  write_file(bundle.dir() + "/file", "x");
  bundle.config["root"]["path"] = "file";
  CHECK_FALSE(refusal_of(bundle).empty());
  REQUIRE(symlink("rootfs", (bundle.dir() + "/link").c_str()) == 0);
  bundle.config["root"]["path"] = "link";
  CHECK_FALSE(refusal_of(bundle).empty());
}

TEST_CASE("a read-only root can't be written, a writable one can", "[D5]") {
  Bundle bundle;
  CHECK(output_of(bundle, "echo x > /new && cat /new") == "x");
  bundle.config["root"]["readonly"] = true;
  CHECK(output_of(bundle, "touch /other 2>&1; echo x > /dev/shm/ok && echo tmpfs") ==
        "touch: /other: Read-only file system\ntmpfs");
  CHECK_FALSE(exists(bundle.rootfs("/other")));
}

TEST_CASE("the container sees nothing of the host's file systems", "[D4]") {
  Bundle bundle;
  const std::string mounts = output_of(bundle, "cat /proc/self/mountinfo");
  for (const MountInfo& mount : parse_mountinfo(mounts)) {
    INFO(mount.mount_point);
    CHECK((mount.mount_point == "/" || mount.mount_point.rfind("/proc", 0) == 0 ||
           mount.mount_point.rfind("/sys", 0) == 0 || mount.mount_point.rfind("/dev", 0) == 0));
  }
}

TEST_CASE("rootfsPropagation sets the propagation of /", "[E20]") {
  for (const auto& [value, expected] :
       std::vector<std::pair<std::string, std::string>>{{"private", ""},
                                                        {"rprivate", ""},
                                                        {"shared", "shared:"},
                                                        {"rshared", "shared:"},
                                                        {"unbindable", "unbindable"},
                                                        {"runbindable", "unbindable"},
                                                        {"slave", ""},
                                                        {"rslave", ""}}) {
    Bundle bundle;
    bundle.config["linux"]["rootfsPropagation"] = value;
    const std::string text = output_of(bundle, "cat /proc/self/mountinfo");
    for (const MountInfo& mount : parse_mountinfo(text)) {
      if (mount.mount_point != "/") continue;
      INFO(value << " gives " << mount.propagation);
      CHECK((expected.empty() ? mount.propagation.find("shared") == std::string::npos &&
                                    mount.propagation.find("unbindable") == std::string::npos
                              : contains(mount.propagation, expected)));
    }
  }
  Bundle bundle;
  bundle.config["linux"]["rootfsPropagation"] = "sideways";
  CHECK(contains(refusal_of(bundle), "sideways"));
}

TEST_CASE("nothing that the container mounts comes to the host, even when its root is shared",
          "[E20][users-ask-8][L86]") {
  Bundle bundle;
  bundle.config["linux"]["rootfsPropagation"] = "shared";
  bundle.capabilities({"CAP_SYS_ADMIN"});
  CHECK(output_of(bundle, "mount -t tmpfs tmpfs /mnt && grep -c ' /mnt ' /proc/self/mountinfo") ==
        "1");
}

TEST_CASE("the default devices are there and work", "[E11][C15][L86]") {
  Bundle bundle;
  CHECK(output_of(bundle,
                  "for d in null zero full random urandom tty; do stat -c '%n %a %F %t:%T' "
                  "/dev/$d; done") ==
        "/dev/null 666 character special file 1:3\n/dev/zero 666 character special file 1:5\n"
        "/dev/full 666 character special file 1:7\n/dev/random 666 character special file 1:8\n"
        "/dev/urandom 666 character special file 1:9\n/dev/tty 666 character special file 5:0");
  CHECK(output_of(bundle,
                  "echo x > /dev/null; head -c 4 /dev/zero | wc -c; head -c 4 /dev/urandom | wc -c;"
                  "echo x 2>/dev/null > /dev/full || echo full") == "4\n4\nfull");
  CHECK(output_of(bundle, "for l in fd stdin stdout stderr ptmx; do readlink /dev/$l; done") ==
        "/proc/self/fd\n/proc/self/fd/0\n/proc/self/fd/1\n/proc/self/fd/2\npts/ptmx");
}

TEST_CASE("devices of the configuration are made with mode and owner", "[E9]") {
  Bundle bundle;
  bundle.config["linux"]["devices"] = {
      {{"path", "/dev/fuse"},
       {"type", "c"},
       {"major", 10},
       {"minor", 229},
       {"fileMode", 0640},
       {"uid", 7},
       {"gid", 8}},
      {{"path", "/dev/sub/loop"}, {"type", "b"}, {"major", 7}, {"minor", 0}, {"fileMode", 0600}},
      {{"path", "/dev/alias"}, {"type", "u"}, {"major", 1}, {"minor", 3}, {"fileMode", 0666}},
      {{"path", "/tmp/pipe"}, {"type", "p"}, {"fileMode", 0622}}};
  CHECK(output_of(bundle,
                  "for d in /dev/fuse /dev/sub/loop /dev/alias /tmp/pipe; do stat -c '%n %a %F "
                  "%u:%g %t:%T' $d; done") ==
        "/dev/fuse 640 character special file 7:8 a:e5\n/dev/sub/loop 600 block special file 0:0 "
        "7:0\n"
        "/dev/alias 666 character special file 0:0 1:3\n/tmp/pipe 622 fifo 0:0 0:0");
}

TEST_CASE("an existing file at a device's path that differs is an error", "[E10]") {
  Bundle bundle;
  write_file(bundle.rootfs("/thing"), "a plain file");
  bundle.config["linux"]["devices"] = {
      {{"path", "/thing"}, {"type", "c"}, {"major", 1}, {"minor", 3}}};
  CHECK(contains(refusal_of(bundle), "/thing"));
  bundle.user_namespace();  // devices are bound: over nothing that is something
  bundle.config["linux"]["devices"][0]["path"] = "/dev/zero";
  bundle.config["linux"]["devices"][0]["minor"] = 5;
  bundle.remove_mount("/dev");
  bundle.remove_mount("/dev/mqueue");
  write_file(bundle.rootfs("/dev/zero"), "a plain file");
  CHECK(contains(refusal_of(bundle), "a file that is not the requested device exists"));
}

TEST_CASE("in a user namespace devices are the host's, FIFOs are made", "[E9][I3]") {
  Bundle bundle;
  bundle.user_namespace();
  bundle.config["linux"]["devices"] = {
      {{"path", "/dev/sub/null"}, {"type", "c"}, {"major", 1}, {"minor", 3}},
      {{"path", "/tmp/pipe"}, {"type", "p"}, {"fileMode", 0622}}};
  // The device is looked for at the same path on the host.
  CHECK(contains(refusal_of(bundle), "/dev/sub/null"));
  bundle.config["linux"]["devices"][0]["path"] = "/dev/zero";
  CHECK(contains(refusal_of(bundle), "the host's file is not the device"));
  bundle.config["linux"]["devices"][0] = {
      {"path", "/dev/zero"}, {"type", "u"}, {"major", 1}, {"minor", 5}};
  // A device that the configuration names goes by its rules, default device or not.
  bundle.config["linux"]["resources"]["devices"].push_back(
      {{"allow", true}, {"type", "c"}, {"major", 1}, {"minor", 5}, {"access", "r"}});
  CHECK(output_of(bundle,
                  "stat -c '%F %t:%T' /dev/zero /tmp/pipe; head -c 3 /dev/zero | wc -c;"
                  "grep -c ' /dev/zero ' /proc/self/mountinfo") ==
        "character special file 1:5\nfifo 0:0\n3\n1");
}

TEST_CASE("a device of a wrong type is refused", "[E9][D3]") {
  Bundle bundle;
  bundle.config["linux"]["devices"] = {
      {{"path", "/dev/x"}, {"type", "z"}, {"major", 1}, {"minor", 3}}};
  CHECK_FALSE(refusal_of(bundle).empty());
}

TEST_CASE("a /dev bound from the host is left as it is", "[E12]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/dev", 0755);
  REQUIRE(mknod((bundle.dir() + "/dev/null").c_str(), S_IFCHR | 0666, makedev(1, 3)) == 0);
  bundle.remove_mount("/dev/pts");
  bundle.remove_mount("/dev/shm");
  bundle.remove_mount("/dev/mqueue");
  bundle.mount_at("/dev") = {{"destination", "/dev"},
                             {"type", "bind"},
                             {"source", bundle.dir() + "/dev"},
                             {"options", {"bind"}}};
  CHECK(output_of(bundle, "ls -A /dev") == "null");
}

TEST_CASE("a masked file is empty, a masked directory too and read-only, a missing one is skipped",
          "[E22]") {
  Bundle bundle;
  write_file(bundle.rootfs("/secret"), "secret\n");
  make_directories(bundle.rootfs("/secrets"), 0755);
  write_file(bundle.rootfs("/secrets/one"), "secret\n");
  bundle.config["linux"]["maskedPaths"] = {"/secret", "/secrets", "/absent", "/proc/kcore"};
  CHECK(
      output_of(bundle,
                "cat /secret; ls -A /secrets; touch /secrets/x 2>&1; stat -c '%F %t:%T' /secret") ==
      "touch: /secrets/x: Read-only file system\ncharacter special file 1:3");
}

TEST_CASE("many directories can be masked", "[E22]") {
  Bundle bundle;
  Json& masked = bundle.config["linux"]["maskedPaths"];
  for (int i = 0; i < 50; ++i) {
    const std::string path = "/secrets" + std::to_string(i);
    make_directories(bundle.rootfs(path), 0755);
    write_file(bundle.rootfs(path) + "/x", "secret");
    masked.push_back(path);
  }
  CHECK(output_of(bundle, "ls -A /secrets*/ | grep -c x; ls -d /secrets* | wc -l") == "0\n50");
}

TEST_CASE("masked and read-only paths never follow a symlink out of the root",
          "[E22][E23][security]") {
  Bundle bundle;
  write_file(bundle.dir() + "/outside", "host\n");
  REQUIRE(symlink(("../../../../.." + bundle.dir() + "/outside").c_str(),
                  bundle.rootfs("/link").c_str()) == 0);
  bundle.config["linux"]["maskedPaths"] = {"/link"};
  CHECK(output_of(bundle, "echo ok") == "ok");
  CHECK(bundle.read("outside") == "host\n");
  CHECK(mounts_with(bundle.dir() + "/outside").empty());
}

TEST_CASE("a read-only path can't be written, with all below it", "[E23]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/data"), 0777);
  write_file(bundle.rootfs("/data/file"), "x", 0666);
  bundle.mount("/data/sub", "tmpfs", "tmpfs", {});
  bundle.config["linux"]["readonlyPaths"] = {"/data", "/absent", "/proc/sys"};
  CHECK(output_of(bundle,
                  "echo y 2>&1 > /data/file; touch /data/sub/x 2>&1; echo 1 2>&1 > "
                  "/proc/sys/kernel/printk; exit 0")
            .find("Read-only file system") != std::string::npos);
  CHECK(read_file(bundle.rootfs("/data/file")) == "x");
}

TEST_CASE("masked and read-only paths must be absolute", "[E22][E23]") {
  for (const char* key : {"maskedPaths", "readonlyPaths"}) {
    Bundle bundle;
    bundle.config["linux"][key] = {"relative/path"};
    CHECK(contains(refusal_of(bundle), "relative/path"));
  }
}

}  // namespace hull::conformance

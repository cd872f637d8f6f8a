#include "libruntime/system/host_devices.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull {
namespace {

std::string text_of(const DeviceNode& node) {
  return std::string(1, node.type) + " " + std::to_string(node.major) + ":" +
         std::to_string(node.minor);
}

std::string error_of(const std::string& path) {
  try {
    device_of(path);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("A device node tells its type, numbers, mode and owner", "[system][L72]") {
  const DeviceNode null = device_of("/dev/null");
  CHECK(text_of(null) == "c 1:3");
  CHECK(null.path == "/dev/null");
  CHECK(null.file_mode == 0666);
}

TEST_CASE("What is no device node is an error, and so is a link to one", "[system][L72]") {
  CHECK(error_of("/etc/passwd") == "\"/etc/passwd\" is not a device node");
  CHECK(error_of("/dev") == "\"/dev\" is not a device node");
  CHECK(error_of("/dev/nosuch") ==
        "cannot look at \"/dev/nosuch\": lstat: no such file or directory");
  if (access("/dev/stdin", F_OK) == 0)
    CHECK(error_of("/dev/stdin") == "\"/dev/stdin\" is not a device node");
}

TEST_CASE("The devices of a directory are listed without those that belong to somebody",
          "[system][L72]") {
  if (geteuid() != 0) HULL_SKIP("needs root");
  char dir[] = "/tmp/hull-devices-XXXXXX";
  REQUIRE(mkdtemp(dir) != nullptr);
  const std::string top = dir;
  const char* const directories[] = {"sub",    "pts",  "shm",         "fd",
                                     "mqueue", ".lxc", ".lxd-mounts", ".udev"};
  for (const char* name : directories) {
    REQUIRE(mkdir((top + "/" + name).c_str(), 0755) == 0);
    REQUIRE(mknod((top + "/" + name + "/n").c_str(), S_IFCHR | 0600, makedev(1, 3)) == 0);
  }
  REQUIRE(mknod((top + "/b").c_str(), S_IFBLK | 0640, makedev(7, 300)) == 0);
  REQUIRE(mknod((top + "/console").c_str(), S_IFCHR | 0600, makedev(5, 1)) == 0);
  REQUIRE(mkfifo((top + "/a").c_str(), 0600) == 0);
  REQUIRE(symlink("b", (top + "/link").c_str()) == 0);
  replace_file(top + "/file", "", 0644);

  std::string found;
  for (const DeviceNode& node : devices_below(top))
    found += node.path.substr(top.size()) + " " + text_of(node) + "\n";
  CHECK(found == "/a p 0:0\n/b b 7:300\n/sub/n c 1:3\n");
  CHECK_THROWS_AS(devices_below(top + "/file"), Error);

  for (const char* name : directories) {
    unlink((top + "/" + name + "/n").c_str());
    rmdir((top + "/" + name).c_str());
  }
  for (const char* name : {"/b", "/console", "/a", "/link", "/file"}) unlink((top + name).c_str());
  CHECK(rmdir(dir) == 0);
}

}  // namespace hull

// User namespaces: maps, ownership, devices, and joining one.
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("ids are mapped as asked, and root inside is nobody outside", "[E5][E6][L55]") {
  Bundle bundle;
  bundle.user_namespace(100'000, 5000);
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  struct stat info {};
  REQUIRE(stat(("/proc/" + std::to_string(hull.pid())).c_str(), &info) == 0);
  CHECK(info.st_uid == 100'000);
  CHECK(info.st_gid == 100'000);
  CHECK(hull.inside("id -u; id -g; awk '{print $1,$2,$3}' /proc/self/uid_map /proc/self/gid_map; "
                    "cat /proc/self/setgroups") == "0\n0\n0 100000 5000\n0 100000 5000\nallow");
}

TEST_CASE("several ranges are mapped", "[E6]") {
  Bundle bundle;
  bundle.user_namespace(100'000, 1000);
  for (const char* key : {"uidMappings", "gidMappings"})
    bundle.config["linux"][key].push_back(
        {{"containerID", 5000}, {"hostID", 300'000}, {"size", 10}});
  bundle.config["process"]["user"] = {{"uid", 5001}, {"gid", 5002}};
  CHECK(output_of(bundle, "id -u; id -g; cat /proc/self/uid_map | wc -l") == "5001\n5002\n2");
}

TEST_CASE("mounts, devices and hostname work in a user namespace", "[E5][E9][D18]") {
  Bundle bundle;
  bundle.user_namespace();
  make_directories(bundle.dir() + "/data", 0777);
  bundle.bind(bundle.dir() + "/data", "/mnt/data", {"bind", "ro"});
  bundle.mount("/mnt/tmp", "tmpfs", "tmpfs", {"nosuid", "mode=700"});
  bundle.config["linux"]["devices"] = {
      {{"path", "/dev/fuse"}, {"type", "c"}, {"major", 10}, {"minor", 229}}};
  if (!exists("/dev/fuse")) bundle.config["linux"].erase("devices");
  CHECK(output_of(
            bundle,
            "hostname; echo x > /dev/null; head -c 3 /dev/zero | wc -c; stat -c '%a %u' /mnt/tmp;"
            "touch /mnt/data/x 2>&1; stat -c '%t:%T' /dev/null") ==
        "box\n3\n700 0\ntouch: /mnt/data/x: Read-only file system\n1:3");
}

TEST_CASE("files made by the container belong to the mapped ids", "[E6]") {
  Bundle bundle;
  bundle.user_namespace(123'000, 1000);
  output_of(bundle, "touch /made");
  struct stat info {};
  REQUIRE(stat(bundle.rootfs("/made").c_str(), &info) == 0);
  CHECK(info.st_uid == 123'000);
  CHECK(info.st_gid == 123'000);
}

TEST_CASE("an id that is not mapped can't be the user's", "[E6][D29]") {
  Bundle bundle;
  bundle.user_namespace(100'000, 10);
  bundle.config["process"]["user"] = {{"uid", 11}, {"gid", 0}};
  CHECK_FALSE(refusal_of(bundle).empty());
}

TEST_CASE("mappings without a user namespace, and a new one without mappings, are refused",
          "[E6]") {
  Bundle bundle;
  bundle.user_namespace();
  bundle.remove_name_space("user");
  CHECK_FALSE(refusal_of(bundle).empty());
  Bundle other;
  other.name_space("user");
  CHECK_FALSE(refusal_of(other).empty());
}

TEST_CASE("a container joins the user namespace of another", "[E7]") {
  Bundle first;
  first.user_namespace(200'000, 1000);
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  const std::string path = "/proc/" + std::to_string(hull.pid()) + "/ns/user";
  Bundle second;
  second.user_namespace(200'000, 1000);
  for (const char* key : {"uidMappings", "gidMappings"}) second.config["linux"].erase(key);
  second.name_space("user")["path"] = path;
  CHECK(
      output_of(second,
                "id -u; awk '{print $1,$2,$3}' /proc/self/uid_map; hostname; echo x > /dev/null") ==
      "0\n0 200000 1000\nbox");
}

TEST_CASE("mappings that differ from those of the joined user namespace are refused", "[E7]") {
  Bundle first;
  first.user_namespace(200'000, 1000);
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  const std::string path = "/proc/" + std::to_string(hull.pid()) + "/ns/user";
  Bundle same;
  same.user_namespace(200'000, 1000);
  same.name_space("user")["path"] = path;
  CHECK(output_of(same, "id -u") == "0");
  Bundle other;
  other.user_namespace(200'000, 999);
  other.name_space("user")["path"] = path;
  CHECK(contains(refusal_of(other),
                 "user namespaces enabled, but both namespace path and non-matching mapping "
                 "specified -- you may only provide one"));
}

TEST_CASE("state.json and the exec.fifo know the IDs of a joined user namespace", "[E7][L17]") {
  Bundle first;
  first.user_namespace(200'000, 1000);
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  Bundle second;
  second.user_namespace(200'000, 1000);
  for (const char* key : {"uidMappings", "gidMappings"}) second.config["linux"].erase(key);
  second.name_space("user")["path"] = "/proc/" + std::to_string(hull.pid()) + "/ns/user";
  Hull joined(second);
  REQUIRE(joined.create().exit_code == 0);
  const std::string dir = joined.root() + "/" + joined.id();
  const Json state = Json::parse(read_file(dir + "/state.json"));
  CHECK(state["config"]["uid_mappings"][0]["host_id"] == 200'000);
  struct stat info {};
  REQUIRE(stat((dir + "/exec.fifo").c_str(), &info) == 0);
  CHECK(info.st_uid == 200'000);
}

TEST_CASE("exec enters the user namespace", "[E5][B25]") {
  Bundle bundle;
  bundle.user_namespace();
  bundle.args({"/bin/sleep", "100"});
  Hull hull(bundle);
  hull.launch();
  CHECK(hull.inside("id -u; readlink /proc/self/ns/user") ==
        hull.inside("id -u; readlink /proc/1/ns/user"));
  CHECK(hull.inside("id -u; id -G", {"--user", "1000:1000"}) == "1000\n1000");
}

TEST_CASE("hooks run outside with the host's ids", "[D45][E5]") {
  Bundle bundle;
  bundle.user_namespace();
  bundle.hook("createRuntime", "id -u > hook-uid");
  CHECK(output_of(bundle, "echo ok") == "ok");
  CHECK(bundle.read("hook-uid") == "0\n");
}

}  // namespace hull::conformance

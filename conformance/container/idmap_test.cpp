// Idmapped mounts (config.md#mounts): whose the files of a mount are.
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

Json id_map(unsigned container_id, unsigned host_id, unsigned size) {
  return {{{"containerID", container_id}, {"hostID", host_id}, {"size", size}}};
}

// A bundle with a directory "data" that holds a file of user 5 and group 6.
struct Files {
  Files() {
    make_directories(dir(), 0755);
    write_file(dir() + "/file", "content\n");
    REQUIRE(chown((dir() + "/file").c_str(), 5, 6) == 0);
    REQUIRE(chmod(dir().c_str(), 0777) == 0);
  }
  [[nodiscard]] std::string dir() const { return bundle.dir() + "/data"; }
  Json& bind(const std::string& place, const std::vector<std::string>& options) {
    bundle.bind(dir(), place, options);
    return bundle.config["mounts"].back();
  }
  Bundle bundle;
};

const char* const kOwner = "stat -c '%u %g' /mnt/file";

}  // namespace

TEST_CASE("a mount's mappings show its files as those of other IDs", "[D15]") {
  for (const char* option : {"bind", "idmap"}) {
    Files files;
    Json& mount = files.bind("/mnt", {"bind", option});
    mount["uidMappings"] = id_map(0, 1000, 100);
    mount["gidMappings"] = id_map(0, 2000, 100);
    CHECK(output_of(files.bundle, kOwner) == "1005 2006");
  }
}

TEST_CASE("idmap alone takes the mappings of the container's own user namespace", "[D15]") {
  Files files;
  files.bundle.user_namespace(100'000, 1000);
  files.bind("/mnt", {"bind", "idmap"});
  files.bind("/plain", {"bind"});
  CHECK(output_of(files.bundle,
                  std::string(kOwner) + "; stat -c '%u %g' /plain/file; touch /mnt/made") ==
        "5 6\n65534 65534");
  struct stat info {};
  REQUIRE(stat((files.dir() + "/made").c_str(), &info) == 0);
  CHECK(info.st_uid == 0);
  CHECK(info.st_gid == 0);
}

TEST_CASE("idmap takes the mappings of a user namespace that the container joins", "[D15][E7]") {
  Bundle first;
  first.user_namespace(200'000, 1000);
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  Files files;
  files.bundle.user_namespace(200'000, 1000);
  for (const char* key : {"uidMappings", "gidMappings"}) files.bundle.config["linux"].erase(key);
  files.bundle.name_space("user")["path"] = "/proc/" + std::to_string(hull.pid()) + "/ns/user";
  files.bind("/mnt", {"bind", "idmap"});
  CHECK(output_of(files.bundle, kOwner) == "5 6");
}

TEST_CASE("mappings of a mount differ from those of the container", "[D15]") {
  Files files;
  files.bundle.user_namespace(100'000, 1000);
  Json& mount = files.bind("/mnt", {"bind", "idmap", "ro"});
  mount["uidMappings"] = id_map(5, 100'000, 1);
  mount["gidMappings"] = id_map(6, 100'007, 1);
  CHECK(output_of(files.bundle, std::string(kOwner) + "; touch /mnt/file 2>&1; exit 0") ==
        "0 7\ntouch: /mnt/file: Read-only file system");
}

TEST_CASE("idmap maps one mount, ridmap the tree below it", "[D15]") {
  Files files;
  make_directories(files.dir() + "/sub", 0755);
  for (const char* option : {"idmap", "ridmap"}) {
    Json& mount = files.bind("/mnt/" + std::string(option), {"rbind", option});
    mount["uidMappings"] = id_map(0, 1000, 100);
    mount["gidMappings"] = id_map(0, 1000, 100);
  }
  files.bundle.script(
      "stat -c %u /mnt/idmap/file /mnt/idmap/sub/f /mnt/ridmap/file /mnt/ridmap/sub/f");
  files.bundle.save();
  Hull hull(files.bundle);
  // A bind mount: before Linux 6.3 a tmpfs can't be idmapped.
  const std::string sub = files.dir() + "/sub";
  const std::string mounted = files.dir() + "/mounted";
  std::vector<std::string> words = {"unshare", "-m", "/bin/sh", "-c",
                                    "mkdir " + mounted + " && touch " + mounted +
                                        "/f && mount --bind " + mounted + " " + sub +
                                        " && exec \"$0\" \"$@\""};
  for (const std::string& word : hull.argv({"run", "--bundle", files.bundle.dir(), hull.id()}))
    words.push_back(word);
  const Outcome done = run_command(words);
  INFO(done.err);
  CHECK(done.out == "1005\n0\n1005\n1000\n");
}

TEST_CASE("maps in the option itself, absolute and from the container's IDs", "[D15][crun]") {
  if (!Hull::is_hull()) HULL_SKIP("an extension that runc does not have");
  Files files;
  files.bundle.user_namespace(100'000, 1000);
  files.bind("/mnt", {"bind", "idmap=uids=0-100010-10;gids=0-100020-3#6-100066-1"});
  files.bind("/relative", {"bind", "idmap=uids=@0-10-10;gids=@0-20-10"});
  CHECK(output_of(files.bundle, std::string(kOwner) + "; stat -c '%u %g' /relative/file") ==
        "15 66\n15 26");
}

TEST_CASE("what can't be idmapped is refused with its pointer", "[D15][D3]") {
  Files files;
  const size_t index = files.bundle.config["mounts"].size();
  files.bind("/mnt", {"bind", "idmap"});
  const std::string error = refusal_of(files.bundle);
  CHECK(contains(error, "/mounts/" + std::to_string(index) + "/options/1"));

  Files half;
  half.bind("/mnt", {"bind"})["uidMappings"] = id_map(0, 1, 1);
  CHECK(contains(refusal_of(half.bundle), "needs both uidMappings and gidMappings"));

  Bundle other;
  other.mount("/mnt", "tmpfs", "tmpfs", {"idmap"});
  other.user_namespace();
  CHECK(contains(refusal_of(other), "id-mapped mounts are only supported for bind-mounts"));

  // procfs has no idmapped mounts.
  Bundle proc;
  proc.bind("/proc/sys", "/mnt", {"bind"});
  proc.config["mounts"].back()["uidMappings"] = id_map(0, 1, 1);
  proc.config["mounts"].back()["gidMappings"] = id_map(0, 1, 1);
  CHECK(contains(refusal_of(proc), "does not support idmapped mounts"));
}

TEST_CASE("a missing source of an idmapped mount is an error that names it", "[D15]") {
  Files files;
  Json& mount = files.bind("/mnt", {"bind"});
  mount["source"] = "/no/such/source";
  mount["uidMappings"] = id_map(0, 1000, 100);
  mount["gidMappings"] = id_map(0, 2000, 100);
  const std::string error = refusal_of(files.bundle);
  CHECK(contains(error, "/no/such/source"));
  CHECK(contains(error, "does not exist on the host"));
}

TEST_CASE("in a user namespace a source that only the host's root can reach is bound",
          "[D15][E5]") {
  Files files;
  files.bundle.user_namespace();
  make_directories(files.bundle.dir() + "/closed/inner", 0755);
  write_file(files.bundle.dir() + "/closed/inner/file", "content\n");
  REQUIRE(chmod((files.bundle.dir() + "/closed").c_str(), 0700) == 0);
  files.bundle.bind(files.bundle.dir() + "/closed/inner", "/mnt", {"bind", "ro"});
  CHECK(output_of(files.bundle, "cat /mnt/file; touch /mnt/x 2>&1; exit 0") ==
        "content\ntouch: /mnt/x: Read-only file system");
}

}  // namespace hull::conformance

// Mount options, each read back from /proc/self/mountinfo of the container
// (config.md#linux-mount-options).
#include <unistd.h>

#include <optional>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/mountinfo.h"

namespace hull::conformance {
namespace {

struct OptionCase {
  std::vector<std::string> options;
  std::string present;  // must be among the mount's or the file system's options
  std::string absent;   // must not
};

// The mount at `place` in the text of a mountinfo: its last line counts.
std::optional<MountInfo> find_mount(const std::string& text, const std::string& place) {
  std::optional<MountInfo> found;
  for (const MountInfo& mount : parse_mountinfo(text))
    if (mount.mount_point == place) found = mount;
  return found;
}

// The options of the mount itself and its propagation, in one text.
std::string options_at(const std::string& text, const std::string& place) {
  const auto mount = find_mount(text, place);
  return mount ? mount->options + " " + mount->propagation : "not mounted";
}

// All cases in one container: a mount each.
void check_options(const std::vector<OptionCase>& cases, const std::string& type,
                   const std::string& source) {
  Bundle bundle;
  for (size_t i = 0; i < cases.size(); ++i) {
    std::vector<std::string> options = cases[i].options;
    if (type == "bind") options.insert(options.begin(), "bind");
    bundle.mount("/mnt/" + std::to_string(i), type, source, options);
  }
  const std::string text = output_of(bundle, "cat /proc/self/mountinfo");
  for (size_t i = 0; i < cases.size(); ++i) {
    const auto found = find_mount(text, "/mnt/" + std::to_string(i));
    std::string asked;
    for (const std::string& option : cases[i].options) asked += option + " ";
    INFO(type << " with " << asked);
    CHECK(found);
    if (!found) continue;
    // Only the mount's own "rw" counts: the file system below a read-only mount is "rw".
    const auto is_set = [&](const std::string& option) {
      return has_option(found->options, option) ||
             (option != "rw" && has_option(found->super_options, option));
    };
    INFO("is " << found->options << " of " << found->super_options);
    if (!cases[i].present.empty()) CHECK(is_set(cases[i].present));
    if (!cases[i].absent.empty()) CHECK_FALSE(is_set(cases[i].absent));
  }
}

// Runs the bundle on a host that has more mounts: those that the shell script makes.
Outcome run_on_host_with(const Bundle& bundle, const std::string& mounts) {
  bundle.save();
  const Hull hull(bundle);
  return run_command({"unshare", "-m", "/bin/sh", "-c",
                      "set -e; " + mounts + "; exec \"$0\" \"$@\"", Hull::program(), "--root",
                      hull.root(), "run", "--bundle", bundle.dir(), hull.id()});
}

// A tree of two mounts, with all options that a mount can have or without.
std::string make_tree(const std::string& dir, const std::string& options) {
  return "mount -t tmpfs tmpfs " + dir + "; mkdir " + dir + "/sub; mount -t tmpfs tmpfs " + dir +
         "/sub; mount -o bind,remount," + options + " " + dir + "/sub; mount -o bind,remount," +
         options + " " + dir;
}

const std::vector<OptionCase> kMountFlags = {
    {{"ro"}, "ro", "rw"},
    {{"rw"}, "rw", "ro"},
    {{"ro", "rw"}, "rw", "ro"},
    {{"nosuid"}, "nosuid", ""},
    {{"nosuid", "suid"}, "", "nosuid"},
    {{"nodev"}, "nodev", ""},
    {{"nodev", "dev"}, "", "nodev"},
    {{"noexec"}, "noexec", ""},
    {{"noexec", "exec"}, "", "noexec"},
    {{"noatime"}, "noatime", "relatime"},
    {{"noatime", "atime"}, "", "noatime"},
    {{"nodiratime"}, "nodiratime", ""},
    {{"nodiratime", "diratime"}, "", "nodiratime"},
    {{"relatime"}, "relatime", "noatime"},
    {{"strictatime"}, "", "relatime"},
    {{"nosymfollow"}, "nosymfollow", ""},
    {{"nosymfollow", "symfollow"}, "", "nosymfollow"},
    {{"defaults"}, "rw", "nosuid"},
};

}  // namespace

TEST_CASE("options of a mount have their effect on a new file system", "[D9][D10]") {
  check_options(kMountFlags, "tmpfs", "tmpfs");
}

TEST_CASE("options of a mount have their effect on a bind mount", "[D9][D10]") {
  Bundle source;
  check_options(kMountFlags, "bind", source.dir());
}

TEST_CASE("options of the file system have their effect", "[D9]") {
  check_options(
      {
          {{"sync"}, "sync", ""},
          {{"sync", "async"}, "", "sync"},
          {{"dirsync"}, "dirsync", ""},
          {{"lazytime"}, "lazytime", ""},
          {{"lazytime", "nolazytime"}, "", "lazytime"},
          {{"silent", "loud"}, "", ""},
          {{"noiversion"}, "", ""},
          {{"norelatime", "nostrictatime"}, "", ""},
          {{"nr_inodes=77"}, "nr_inodes=77", ""},
      },
      "tmpfs", "tmpfs");
}

TEST_CASE("every option of the specification is known", "[D9]") {
  Bundle bundle;
  for (const char* option :
       {"async",       "atime",       "defaults",   "dev",        "diratime",   "dirsync",
        "exec",        "iversion",    "lazytime",   "loud",       "noatime",    "nodev",
        "nodiratime",  "noexec",      "noiversion", "nolazytime", "norelatime", "nostrictatime",
        "nosuid",      "private",     "relatime",   "ro",         "rprivate",   "rshared",
        "rslave",      "runbindable", "rw",         "shared",     "silent",     "slave",
        "strictatime", "suid",        "sync",       "unbindable"})
    bundle.mount("/mnt/" + std::string(option), "tmpfs", "tmpfs", {option});
  CHECK(output_of(bundle, "ls /mnt | wc -l; grep -c ' /mnt/' /proc/self/mountinfo") == "34\n34");
}

TEST_CASE("remount changes the options of an earlier mount", "[D9]") {
  Bundle bundle;
  bundle.mount("/mnt", "tmpfs", "tmpfs", {});
  bundle.mount("/mnt", "tmpfs", "tmpfs", {"remount", "ro", "nosuid"});
  const std::string found = options_at(output_of(bundle, "cat /proc/self/mountinfo"), "/mnt");
  CHECK(contains(found, "ro"));
  CHECK(contains(found, "nosuid"));
}

TEST_CASE("bind takes one mount, rbind the tree below it", "[D9]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/tree/sub", 0755);
  bundle.mount("/mnt/tree", "bind", bundle.dir() + "/tree", {"bind"});
  bundle.mount("/mnt/tree/sub", "tmpfs", "tmpfs", {"nosuid"});
  bundle.mount("/mnt/r", "bind", bundle.dir() + "/tree", {"rbind", "ro"});
  bundle.mount("/mnt/rro", "bind", bundle.dir() + "/tree", {"rbind", "rro"});
  bundle.mount("/mnt/b", "bind", bundle.dir() + "/tree", {"bind"});
  bundle.script("cat /proc/self/mountinfo");
  // What is mounted in the container can't be bound again, so the tree is the host's.
  const Outcome done =
      run_on_host_with(bundle, "mount -t tmpfs tmpfs " + bundle.dir() + "/tree/sub");
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  CHECK(options_at(done.out, "/mnt/b/sub") == "not mounted");
  CHECK(options_at(done.out, "/mnt/r").rfind("ro", 0) == 0);
  CHECK(options_at(done.out, "/mnt/r/sub").rfind("rw", 0) == 0);  // "ro" is not recursive
  CHECK(options_at(done.out, "/mnt/rro").rfind("ro", 0) == 0);
  CHECK(options_at(done.out, "/mnt/rro/sub").rfind("ro", 0) == 0);
}

TEST_CASE("recursive options are set on the whole tree", "[D11][D12]") {
  Bundle bundle;
  bundle.mount("/mnt/a", "bind", bundle.dir(),
               {"rbind", "rro", "rnosuid", "rnodev", "rnoexec", "rnoatime"});
  bundle.mount("/mnt/b", "bind", bundle.dir(), {"rbind", "rnosymfollow", "rnodiratime"});
  const std::string text = output_of(bundle, "cat /proc/self/mountinfo");
  const auto a = find_mount(text, "/mnt/a");
  const auto b = find_mount(text, "/mnt/b");
  REQUIRE((a && b));
  for (const char* option : {"ro", "nosuid", "nodev", "noexec", "noatime"})
    CHECK(has_option(a->options, option));
  for (const char* option : {"rw", "nosymfollow", "nodiratime"})
    CHECK(has_option(b->options, option));
}

TEST_CASE("each recursive option has its effect on all of a tree", "[D11][D12]") {
  const std::vector<OptionCase> cases = {
      {{"rro"}, "ro", "rw"},
      {{"rnosuid"}, "nosuid", ""},
      {{"rnodev"}, "nodev", ""},
      {{"rnoexec"}, "noexec", ""},
      {{"rnodiratime"}, "nodiratime", ""},
      {{"rnoatime"}, "noatime", "relatime"},
      {{"rstrictatime"}, "rw", "relatime"},
      {{"rrelatime"}, "relatime", ""},
      {{"rnorelatime"}, "relatime", ""},
      {{"rnosymfollow"}, "nosymfollow", ""},
      {{"rro", "rrw"}, "rw", "ro"},
  };
  const std::vector<OptionCase> opposites = {
      {{"rrw"}, "rw", "ro"},
      {{"rsuid"}, "ro", "nosuid"},
      {{"rdev"}, "ro", "nodev"},
      {{"rexec"}, "ro", "noexec"},
      {{"rdiratime"}, "ro", "nodiratime"},
      {{"ratime"}, "relatime", "noatime"},
      {{"rrelatime"}, "relatime", "noatime"},
      {{"rstrictatime"}, "ro", "noatime"},
      {{"rnostrictatime"}, "relatime", "noatime"},
      {{"rsymfollow"}, "ro", "nosymfollow"},
      {{"rnorelatime"}, "noatime", "relatime"},
  };
  Bundle bundle;
  const auto add = [&](const std::string& tree, const std::vector<OptionCase>& list) {
    make_directories(bundle.dir() + tree, 0755);
    for (size_t i = 0; i < list.size(); ++i) {
      std::vector<std::string> options = list[i].options;
      options.insert(options.begin(), "rbind");
      bundle.mount("/mnt" + tree + std::to_string(i), "bind", bundle.dir() + tree, options);
    }
  };
  add("/plain", cases);
  add("/strict", opposites);
  bundle.script("cat /proc/self/mountinfo");
  const Outcome done = run_on_host_with(
      bundle, make_tree(bundle.dir() + "/plain", "rw") + "; " +
                  make_tree(bundle.dir() + "/strict",
                            "ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow"));
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  const auto check = [&](const std::string& tree, const std::vector<OptionCase>& list) {
    for (size_t i = 0; i < list.size(); ++i) {
      for (const char* below : {"", "/sub"}) {
        const auto found = find_mount(done.out, "/mnt" + tree + std::to_string(i) + below);
        INFO(list[i].options[0] << " on " << tree << below);
        REQUIRE(found);
        INFO(found->options);
        CHECK(has_option(found->options, list[i].present));
        CHECK_FALSE(has_option(found->options, list[i].absent));
      }
    }
  };
  check("/plain", cases);
  check("/strict", opposites);
}

TEST_CASE("in a user namespace a bind keeps what its source forbids", "[D18]") {
  const std::string locked = "ro,nosuid,nodev,noexec,noatime";
  Bundle bundle;
  bundle.user_namespace();
  make_directories(bundle.dir() + "/tree", 0755);
  bundle.mount("/mnt/plain", "bind", bundle.dir() + "/tree", {"rbind"});
  bundle.mount("/mnt/ro", "bind", bundle.dir() + "/tree", {"rbind", "ro", "rprivate"});
  bundle.mount("/mnt/more", "bind", bundle.dir() + "/tree", {"rbind"});
  bundle.mount("/mnt/more", "bind", bundle.dir() + "/tree", {"bind", "remount", "nosymfollow"});
  bundle.script("cat /proc/self/mountinfo");
  const std::string host = make_tree(bundle.dir() + "/tree", locked);
  const Outcome done = run_on_host_with(bundle, host);
  INFO(done.err);
  REQUIRE(done.exit_code == 0);
  for (const char* place : {"/mnt/plain", "/mnt/plain/sub", "/mnt/ro", "/mnt/ro/sub"})
    CHECK(options_at(done.out, place).starts_with(locked));
  CHECK(options_at(done.out, "/mnt/more").starts_with(locked + ",nosymfollow"));

  // What was asked for and can't be had is an error, never left out.
  for (const char* option : {"rw", "suid", "dev", "exec", "strictatime", "rrw"}) {
    Bundle refused;
    refused.user_namespace();
    make_directories(refused.dir() + "/tree", 0755);
    refused.mount("/mnt", "bind", refused.dir() + "/tree", {"rbind", option});
    const Outcome failed = run_on_host_with(refused, make_tree(refused.dir() + "/tree", locked));
    INFO(option << ": " << failed.err);
    CHECK(failed.exit_code != 0);
    CHECK(contains(failed.err, "operation not permitted"));
  }
}

TEST_CASE("a link can be bound, covered or copied", "[D16]") {
  if (!Hull::is_hull()) HULL_SKIP("options that runc does not have");
  Bundle bundle;
  write_file(bundle.dir() + "/file", "content\n");
  REQUIRE(symlink("file", (bundle.dir() + "/link").c_str()) == 0);
  REQUIRE(symlink("/etc/passwd", bundle.rootfs("/etc/covered").c_str()) == 0);
  bundle.bind(bundle.dir() + "/link", "/mnt/bound", {"bind", "src-nofollow"});
  bundle.bind(bundle.dir() + "/file", "/etc/covered", {"bind", "dest-nofollow"});
  bundle.bind(bundle.dir() + "/link", "/mnt/copied", {"bind", "copy-symlink"});
  bundle.bind(bundle.dir() + "/file", "/mnt/file", {"bind", "copy-symlink"});
  CHECK(
      output_of(bundle,
                "readlink /mnt/bound; readlink /mnt/copied; cat /etc/covered /mnt/file /mnt/copied;"
                "grep -c root: /etc/passwd; grep -c ' /mnt/' /proc/self/mountinfo") ==
      "file\nfile\ncontent\ncontent\ncontent\n1\n2");
  write_file(bundle.rootfs("/etc/other"), "");
  bundle.bind(bundle.dir() + "/link", "/etc/other", {"bind", "copy-symlink"});
  CHECK(contains(refusal_of(bundle), "something that is not the link"));
}

TEST_CASE("a read-only bind mount can't be written", "[D9]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/data", 0777);
  bundle.bind(bundle.dir() + "/data", "/mnt/data", {"bind", "ro"});
  CHECK(output_of(bundle, "touch /mnt/data/x 2>&1; exit 0") ==
        "touch: /mnt/data/x: Read-only file system");
  CHECK_FALSE(exists(bundle.dir() + "/data/x"));
}

TEST_CASE("propagation of a mount is as asked", "[D9]") {
  Bundle bundle;
  for (const char* kind :
       {"private", "shared", "slave", "unbindable", "rprivate", "rshared", "rslave", "runbindable"})
    bundle.mount("/mnt/" + std::string(kind), "tmpfs", "tmpfs", {kind});
  const std::string text = output_of(bundle, "cat /proc/self/mountinfo");
  for (const char* kind : {"shared", "rshared"})
    CHECK(contains(options_at(text, "/mnt/" + std::string(kind)), " shared:"));
  for (const char* kind : {"unbindable", "runbindable"})
    CHECK(contains(options_at(text, "/mnt/" + std::string(kind)), " unbindable"));
  for (const char* kind : {"private", "rprivate", "slave", "rslave"})
    CHECK_FALSE(contains(options_at(text, "/mnt/" + std::string(kind)), "shared"));
}

}  // namespace hull::conformance

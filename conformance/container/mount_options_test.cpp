// Mount options, each read back from /proc/self/mountinfo of the container
// (config.md#linux-mount-options).
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
  // What is mounted in the container can't be bound again, so the tree is the host's.
  const Outcome done = [&] {
    bundle.mount("/mnt/r", "bind", bundle.dir() + "/tree", {"rbind", "ro"});
    bundle.mount("/mnt/rro", "bind", bundle.dir() + "/tree", {"rbind", "rro"});
    bundle.mount("/mnt/b", "bind", bundle.dir() + "/tree", {"bind"});
    bundle.script("cat /proc/self/mountinfo");
    bundle.save();
    Hull hull(bundle);
    return run_command({"unshare", "-m", "/bin/sh", "-c",
                        "mount -t tmpfs tmpfs " + bundle.dir() + "/tree/sub && exec \"$0\" \"$@\"",
                        Hull::program(), "--root", hull.root(), "run", "--bundle", bundle.dir(),
                        hull.id()});
  }();
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

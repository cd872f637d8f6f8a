// Checkpoint and restore of what a container shares with its host.
#include <unistd.h>

#include <csignal>

#include "conformance/container/bundle.h"
#include "conformance/container/criu.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "conformance/container/socket.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

// Not one long sleep: a restored nanosleep(2) may return early.
constexpr char kWait[] = "while :; do sleep 1; done";

// Mount points, per-mount options and file systems, without the numbers.
std::string mounts_of(Hull& hull) {
  return hull.inside(
      "cut -d' ' -f4- /proc/self/mountinfo | sed 's/ "
      "[a-z]*:[0-9]* / /; s/ - \\([^ ]*\\).*/ \\1/' | sort");
}

std::string bind_source(const Bundle& bundle, const std::string& name) {
  const std::string path = bundle.dir() + "/" + name;
  make_directories(path, 0755);
  write_file(path + "/name", name);
  return path;
}

}  // namespace

TEST_CASE("bind mounts come back from their sources, with their options", "[criu][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.bind(bind_source(bundle, "one"), "/one", {"bind", "ro", "nosuid"});
  bundle.bind(bind_source(bundle, "two"), "/two", {"bind", "rw", "noexec"});
  bundle.bind(bind_source(bundle, "two"), "/three", {"bind", "ro"});
  bundle.bind(bundle.dir() + "/one/name", "/file", {"bind", "ro"});
  bundle.mount("/scratch", "tmpfs", "tmpfs", {"nosuid", "size=64k"});
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  hull.inside("echo kept > /scratch/note");
  const std::string before = mounts_of(hull);
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  write_file(bundle.dir() + "/one/name", "changed");
  images.restore();
  CHECK(mounts_of(hull) == before);
  CHECK(hull.inside("cat /one/name /two/name /three/name /file /scratch/note") ==
        "changedtwotwochangedkept");
  CHECK(hull.inside("touch /one/x /three/x 2>/dev/null; touch /two/y && ls /two") == "name\ny");
}

TEST_CASE("what is mounted below the source of a recursive bind comes back, too", "[criu][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  const std::string source = bind_source(bundle, "tree");
  make_directories(source + "/sub", 0755);
  REQUIRE(run_command({"mount", "-t", "tmpfs", bundle.mark(), source + "/sub"}).exit_code == 0);
  write_file(source + "/sub/note", "deep");
  bundle.bind(source, "/tree", {"rbind", "rw"});
  bundle.script(kWait);
  {
    Hull hull(bundle);
    hull.launch();
    const std::string before = mounts_of(hull);
    Checkpoint images(hull, bundle.dir() + "/images");
    images.save();
    images.restore();
    CHECK(mounts_of(hull) == before);
    CHECK(hull.inside("cat /tree/sub/note") == "deep");
    REQUIRE(hull.remove({"--force"}).exit_code == 0);
    CHECK(run_command({"umount", source + "/sub"}).exit_code == 0);
  }
}

TEST_CASE("a mount point that criu would read as another mount's name is refused",
          "[criu][security][CVE-2026-119101]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  REQUIRE(symlink("/b", bundle.rootfs("/a").c_str()) == 0);
  bundle.bind(bind_source(bundle, "decoy"), "/a", {"bind", "ro"});
  bundle.bind(bind_source(bundle, "second"), "/b]:c", {"bind", "rw"});
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  const Outcome refused = Checkpoint(hull, bundle.dir() + "/images").try_save();
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "criu can't name the mount point"));
  CHECK(contains(refused.err, "/mounts/8"));
  CHECK(hull.status() == "running");
}

TEST_CASE("mounts through links of the image come back where they were", "[criu][security]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  REQUIRE(symlink("/b", bundle.rootfs("/a").c_str()) == 0);
  bundle.bind(bind_source(bundle, "decoy"), "/a/x", {"bind", "ro"});
  bundle.bind(bind_source(bundle, "second"), "/b/y", {"bind", "rw"});
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  const std::string before = mounts_of(hull);
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  images.restore();
  CHECK(mounts_of(hull) == before);
  CHECK(hull.inside("cat /b/x/name /b/y/name; touch /b/x/no 2>/dev/null || echo ro") ==
        "decoysecondro");
}

TEST_CASE("a mount that allows more than the configuration is not carried over",
          "[criu][security]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.bind(bind_source(bundle, "one"), "/one", {"bind", "ro"});
  bundle.capabilities({"CAP_SYS_ADMIN"});
  bundle.script(
      "mount -o remount,bind,rw /one && touch /done; while :; do "
      "sleep 1; done");
  Hull hull(bundle);
  hull.launch();
  REQUIRE(patiently([&] { return exists(bundle.rootfs("/done")); }));
  const Outcome refused = Checkpoint(hull, bundle.dir() + "/images").try_save();
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "as the configuration has it"));
  CHECK(contains(refused.err, "/mounts/7"));
}

TEST_CASE("a restore's console socket gets the terminal", "[criu][G15][G19]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.config["process"]["terminal"] = true;
  bundle.script("i=0; while :; do i=$((i+1)); echo n$i; sleep 0.05; done");
  Listener first(bundle.dir() + "/first.sock");
  Listener second(bundle.dir() + "/second.sock");
  Hull hull(bundle);
  REQUIRE(hull.create({"--console-socket", first.path()}).exit_code == 0);
  const Received before = first.receive();
  REQUIRE(hull.start().exit_code == 0);
  CHECK(contains(read_until(before.fd, "n3"), "n3"));
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  images.restore({"--console-socket", second.path()});
  const Received after = second.receive();
  REQUIRE(after.fd.valid());
  CHECK(isatty(after.fd.get()) == 1);
  CHECK(contains(read_until(after.fd, "n2"), "n2"));
}

TEST_CASE(
    "a restore in the foreground relays output, and ends with the "
    "program's status",
    "[criu][G15][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(
      "echo before; while ! test -e /go; do sleep 0.02; done; echo "
      "after; exit 7");
  bundle.save();
  Hull hull(bundle);
  const auto piped = [&](const std::vector<std::string>& words) {
    std::vector<std::string> argv = {"/bin/sh", "-c", "{ \"$@\"; echo status $?; } | cat", "sh"};
    for (const std::string& word : hull.argv(words)) argv.push_back(word);
    return argv;
  };
  Process run(piped({"run", "--bundle", bundle.dir(), hull.id()}));
  REQUIRE(patiently([&] { return contains(run.out(), "before"); }));
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  CHECK(run.wait().out == "before\nstatus 137\n");
  CHECK(hull.status().empty());
  write_file(bundle.rootfs("/go"), "");
  const Outcome restored = run_command(piped(images.restore_command()));
  INFO(restored.err);
  CHECK(restored.out == "after\nstatus 7\n");
  CHECK(hull.status().empty());
}

TEST_CASE(
    "standard streams are given anew: pipes, /dev/null, and a file as it "
    "was left",
    "[criu][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script("i=0; while :; do i=$((i+1)); echo n$i; echo e$i >&2; sleep 0.02; done");
  bundle.save();
  Hull hull(bundle);
  const auto piped = [&](const std::vector<std::string>& words) {
    std::vector<std::string> argv = {
        "/bin/sh", "-c", "\"$@\" 2>>" + bundle.dir() + "/err | cat >> " + bundle.dir() + "/out",
        "sh"};
    for (const std::string& word : hull.argv(words)) argv.push_back(word);
    return argv;
  };
  Process run(piped({"run", "-d", "--bundle", bundle.dir(), hull.id()}));
  REQUIRE(patiently([&] { return contains(bundle.read("out"), "n3"); }));
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  run.wait();
  CHECK(contains(bundle.read("images/descriptors.json"), "[\"/dev/null\",\"pipe:["));
  const size_t out = bundle.read("out").size();
  const size_t err = bundle.read("err").size();
  Process restored(piped(images.restore_command({"--detach"})));
  CHECK(patiently([&] {
    return bundle.read("out").size() > out + 10 && bundle.read("err").size() > err + 10;
  }));
  CHECK(contains(bundle.read("err").substr(err), "\ne"));
  CHECK_FALSE(contains(bundle.read("out").substr(out), "n1\n"));
  // The next images tell of the new pipe.
  Checkpoint(hull, bundle.dir() + "/again").save();
  CHECK(contains(bundle.read("again/descriptors.json"), "[\"/dev/null\",\"pipe:["));
  CHECK(bundle.read("again/descriptors.json") != bundle.read("images/descriptors.json"));
}

TEST_CASE("hooks around checkpoint and restore", "[criu][G19]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kWait);
  for (const char* kind : {"prestart", "createRuntime", "poststop"})
    bundle.hook(kind, std::string("echo ") + kind + " $(cat) >> " + bundle.dir() + "/hooks");
  Hull hull(bundle);
  hull.launch();
  unlink((bundle.dir() + "/hooks").c_str());
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  CHECK(bundle.read("hooks").starts_with("poststop {"));
  unlink((bundle.dir() + "/hooks").c_str());
  images.restore();
  const std::string text = bundle.read("hooks");
  CHECK(text.starts_with("prestart {"));
  CHECK(contains(text, "\ncreateRuntime {"));
  CHECK(contains(text, "\"pid\":" + std::to_string(hull.pid())));
}

TEST_CASE("a hook that fails stops the restore, and nothing is left", "[criu][G19]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  bundle.hook("createRuntime", "echo no more >&2; exit 3");
  bundle.save();
  const Outcome refused = images.try_restore();
  CHECK(refused.exit_code == 1);
  CHECK(contains(refused.err, "no more"));
  CHECK(contains(refused.err, "/hooks/createRuntime/0"));
  CHECK(hull.status().empty());
}

TEST_CASE("a network namespace that was joined stays outside of the images", "[criu][G18]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  Process holder({"unshare", "--net", "sleep", "1000"});
  const std::string ns = "/proc/" + std::to_string(holder.pid()) + "/ns/net";
  const auto inode = [](const std::string& path) { return run_command({"readlink", path}).out; };
  REQUIRE(patiently([&] { return inode(ns) != inode("/proc/self/ns/net"); }));
  bundle.name_space("network")["path"] = ns;
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  images.restore();
  CHECK(inode("/proc/" + std::to_string(hull.pid()) + "/ns/net") == inode(ns));
  REQUIRE(hull.remove({"--force"}).exit_code == 0);
  bundle.name_space("network")["path"] = "/proc/1/ns/absent";
  bundle.save();
  CHECK(contains(images.try_restore().err, "network namespace /proc/1/ns/absent does not exist"));
}

TEST_CASE("the restored container is in its cgroup, with its limits", "[criu][G11]") {
  HULL_NEEDS_CRIU();
  if (!has_controller("pids")) HULL_SKIP("no pids controller");
  Bundle bundle;
  bundle.config["linux"]["resources"]["pids"] = {{"limit", 77}};
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  for (const char* mode : {"soft", "ignore", "full"}) {
    INFO(mode);
    Checkpoint images(hull, bundle.dir() + "/images-" + mode);
    images.save({"--manage-cgroups-mode", mode});
    images.restore({"--manage-cgroups-mode", mode});
    CHECK(hull.cgroup_file("pids", "pids.max") == "77");
    CHECK(contains(cgroup_of(hull.pid(), "pids"), hull.id()));
  }
  // CRIU's strict mode takes no cgroup that is there, and the container's own has been made.
  Checkpoint images(hull, bundle.dir() + "/images-strict");
  images.save({"--manage-cgroups-mode", "strict"});
  CHECK(contains(images.try_restore({"--manage-cgroups-mode", "strict"}).err,
                 "Abort restore of existing cgroups"));
}

TEST_CASE("a user namespace is restored", "[criu]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  bundle.user_namespace();
  bundle.script(kWait);
  bundle.save();
  Hull hull(bundle);
  std::vector<std::string> quiet = {"/bin/sh", "-c", "\"$@\" >/dev/null 2>&1", "sh"};
  for (const std::string& word : hull.argv({"run", "-d", "--bundle", bundle.dir(), hull.id()}))
    quiet.push_back(word);
  REQUIRE(run_command(quiet).exit_code == 0);
  const std::string before = mounts_of(hull);
  Checkpoint images(hull, bundle.dir() + "/images");
  images.save();
  images.restore();
  CHECK(hull.inside("cat /proc/self/uid_map | tr -s ' '") == " 0 100000 65536");
  CHECK(mounts_of(hull) == before);
}

TEST_CASE("the annotation org.criu.config names a file that goes before all options",
          "[criu][G17]") {
  HULL_NEEDS_CRIU();
  Bundle bundle;
  write_file(bundle.dir() + "/criu.conf", "log-file other.log\n");
  bundle.config["annotations"]["org.criu.config"] = bundle.dir() + "/criu.conf";
  bundle.script(kWait);
  Hull hull(bundle);
  hull.launch();
  Checkpoint(hull, bundle.dir() + "/images").save({"--leave-running"});
  CHECK(exists(bundle.dir() + "/images/other.log"));
  CHECK_FALSE(exists(bundle.dir() + "/images/dump.log"));
}

}  // namespace hull::conformance

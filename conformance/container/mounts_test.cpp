// The list of mounts: order, kinds, targets, and what must be refused.
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

TEST_CASE("mounts are made in the order of the list", "[D6]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/one", 0755);
  write_file(bundle.dir() + "/one/name", "one\n");
  bundle.mount("/mnt", "tmpfs", "tmpfs", {});
  bundle.bind(bundle.dir() + "/one", "/mnt/deep/one");
  bundle.mount("/mnt/deep/one/over", "tmpfs", "tmpfs", {});
  CHECK(output_of(bundle,
                  "cat /mnt/deep/one/name; grep -c ' /mnt' /proc/self/mountinfo; ls -A "
                  "/mnt/deep/one/over") == "one\n3");
}

TEST_CASE("a later mount covers an earlier one at the same place", "[D6]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/one", 0755);
  write_file(bundle.dir() + "/one/name", "one\n");
  bundle.bind(bundle.dir() + "/one", "/mnt");
  bundle.mount("/mnt", "tmpfs", "tmpfs", {});
  CHECK(output_of(bundle, "ls -A /mnt").empty());
}

TEST_CASE("the target of a bound file is made as a file, of a directory as a directory", "[D8]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/folder", 0755);
  write_file(bundle.dir() + "/file", "content\n");
  bundle.bind(bundle.dir() + "/file", "/new/a/file");
  bundle.bind(bundle.dir() + "/folder", "/new/b/folder");
  CHECK(output_of(bundle,
                  "cat /new/a/file; test -f /new/a/file && test -d /new/b/folder && echo made") ==
        "content\nmade");
}

TEST_CASE("a relative destination counts from the root", "[D7]") {
  Bundle bundle;
  bundle.mount("mnt/relative", "tmpfs", "tmpfs", {});
  CHECK(output_of(bundle, "grep -c ' /mnt/relative ' /proc/self/mountinfo") == "1");
}

TEST_CASE("a relative source of a bind mount counts from the bundle", "[D6]") {
  Bundle bundle;
  write_file(bundle.dir() + "/file", "content\n");
  bundle.bind("file", "/mnt/file");
  CHECK(output_of(bundle, "cat /mnt/file") == "content");
}

TEST_CASE("symlinks in the image never lead a mount out of the root", "[D6][security]") {
  Bundle bundle;
  make_directories(bundle.dir() + "/outside", 0755);
  write_file(bundle.dir() + "/file", "content\n");
  REQUIRE(symlink(("../../../../../../.." + bundle.dir() + "/outside").c_str(),
                  bundle.rootfs("/relative").c_str()) == 0);
  REQUIRE(symlink((bundle.dir() + "/outside").c_str(), bundle.rootfs("/absolute").c_str()) == 0);
  bundle.bind(bundle.dir() + "/file", "/relative/a/file");
  bundle.bind(bundle.dir() + "/file", "/absolute/b/file");
  bundle.mount("/absolute/c", "tmpfs", "tmpfs", {});
  CHECK(
      output_of(bundle, "cat /relative/a/file /absolute/b/file; test -d /absolute/c && echo tmp") ==
      "content\ncontent\ntmp");
  CHECK_FALSE(exists(bundle.dir() + "/outside/a"));
  CHECK_FALSE(exists(bundle.dir() + "/outside/b"));
  CHECK_FALSE(exists(bundle.dir() + "/outside/c"));
}

TEST_CASE("a bound source is followed through symlinks of the host", "[D6]") {
  Bundle bundle;
  write_file(bundle.dir() + "/file", "content\n");
  REQUIRE(symlink("file", (bundle.dir() + "/link").c_str()) == 0);
  bundle.bind(bundle.dir() + "/link", "/mnt/file");
  CHECK(output_of(bundle, "cat /mnt/file") == "content");
}

TEST_CASE("proc and sysfs are not mounted through a symlink", "[D20][security]") {
  for (const char* place : {"/proc", "/sys"}) {
    INFO(place);
    Bundle bundle;
    rmdir(bundle.rootfs(place).c_str());
    REQUIRE(symlink("/tmp", bundle.rootfs(place).c_str()) == 0);
    CHECK_FALSE(refusal_of(bundle).empty());
  }
}

TEST_CASE("nothing may be mounted over /proc but the files that lxcfs gives", "[D21][security]") {
  for (const char* place :
       {"/proc", "/proc/self", "/proc/sys", "/proc/sys/kernel/core_pattern", "/proc/1/status"}) {
    Bundle bundle;
    INFO(place);
    write_file(bundle.dir() + "/file", "content\n");
    make_directories(bundle.dir() + "/folder", 0755);
    const std::string last = place;
    bundle.bind(
        bundle.dir() + (contains(last, "core") || contains(last, "status") ? "/file" : "/folder"),
        place);
    CHECK(contains(refusal_of(bundle), "/proc"));
  }
  Bundle bundle;
  write_file(bundle.dir() + "/file", "content\n");
  for (const char* place : {"/proc/cpuinfo", "/proc/meminfo", "/proc/uptime"})
    bundle.bind(bundle.dir() + "/file", place);
  CHECK(output_of(bundle, "cat /proc/cpuinfo /proc/meminfo /proc/uptime") ==
        "content\ncontent\ncontent");
}

TEST_CASE("a tmpfs has its size, mode and owner", "[D17][D22]") {
  Bundle bundle;
  bundle.mount("/mnt/a", "tmpfs", "tmpfs", {"size=1m", "mode=0750", "uid=3", "gid=4"});
  CHECK(
      output_of(bundle, "stat -c '%a %u %g' /mnt/a; df -k /mnt/a | tail -n 1 | awk '{print $2}'") ==
      "750 3 4\n1024");
}

TEST_CASE("a tmpfs keeps the mode of the directory that it covers", "[D22]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/covered"), 0755);
  REQUIRE(chmod(bundle.rootfs("/covered").c_str(), 01770) == 0);
  bundle.mount("/covered", "tmpfs", "tmpfs", {});
  CHECK(output_of(bundle, "stat -c %a /covered") == "1770");
}

TEST_CASE("tmpcopyup fills a tmpfs with what it covers", "[D14]") {
  Bundle bundle;
  make_directories(bundle.rootfs("/data/sub"), 0755);
  write_file(bundle.rootfs("/data/file"), "content\n", 0640);
  write_file(bundle.rootfs("/data/sub/deep"), "deep\n");
  REQUIRE(symlink("file", bundle.rootfs("/data/link").c_str()) == 0);
  bundle.mount("/data", "tmpfs", "tmpfs", {"tmpcopyup"});
  CHECK(output_of(bundle,
                  "cat /data/link /data/sub/deep; stat -c %a /data/file; echo changed > /data/file;"
                  "grep ' /data ' /proc/self/mountinfo | grep -c tmpfs") ==
        "content\ndeep\n640\n1");
  CHECK(read_file(bundle.rootfs("/data/file")) == "content\n");
}

TEST_CASE("mqueue, devpts and shm are there", "[D22][E28]") {
  Bundle bundle;
  CHECK(output_of(
            bundle,
            "for m in /dev/mqueue:mqueue /dev/pts:devpts /dev/shm:tmpfs; do"
            "  grep \" ${m%:*} \" /proc/self/mountinfo | grep -q \" - ${m#*:} \" && echo $m; done;"
            "stat -c %a /dev/pts/ptmx; readlink /dev/ptmx") ==
        "/dev/mqueue:mqueue\n/dev/pts:devpts\n/dev/shm:tmpfs\n666\npts/ptmx");
}

TEST_CASE("the cgroup mount shows the container's own cgroups, read-only", "[D19]") {
  Bundle bundle;
  bundle.name_space("cgroup");
  const std::string script =
      "cd /sys/fs/cgroup; if test -d pids; then f=pids/cgroup.procs; else f=cgroup.procs; fi;"
      "grep -c '^1$' $f; mkdir ${f%/*}/new 2>/dev/null || mkdir new 2>&1 | grep -o 'Read-only'";
  CHECK(output_of(bundle, script) == "1\nRead-only");
}

TEST_CASE("without a cgroup namespace the cgroup mount shows only the container's cgroup",
          "[D19]") {
  Bundle bundle;
  CHECK(output_of(bundle,
                  "cd /sys/fs/cgroup; test -d pids && cd pids; grep -c '^1$' cgroup.procs") == "1");
}

TEST_CASE("on v1 each controller has its directory, joint ones a link", "[D19]") {
  if (in_cgroup_v2("memory")) HULL_SKIP("the memory controller is in cgroup v2 here");
  Bundle bundle;
  const std::string listed = output_of(bundle, "ls /sys/fs/cgroup");
  for (const char* name : {"memory", "pids", "devices", "cpuset"}) CHECK(contains(listed, name));
}

TEST_CASE("a wrong mount names the entry, the path and the reason", "[D3][users-ask-5]") {
  struct Case {
    const char* what;
    Json mount;
    std::vector<std::string> parts;
  };
  Bundle files;  // outlives the cases
  write_file(files.dir() + "/file", "x");
  make_directories(files.dir() + "/folder", 0755);
  const std::vector<Case> cases = {
      {"missing source",
       {{"destination", "/mnt"},
        {"type", "bind"},
        {"source", "/no/such/source"},
        {"options", {"bind"}}},
       {"/no/such/source", "no such file or directory"}},
      {"directory onto file",
       {{"destination", "/etc/passwd"},
        {"type", "bind"},
        {"source", files.dir() + "/folder"},
        {"options", {"bind"}}},
       {"/etc/passwd", "not a directory"}},
      {"file onto directory",
       {{"destination", "/mnt"},
        {"type", "bind"},
        {"source", files.dir() + "/file"},
        {"options", {"bind"}}},
       {"/mnt", "directory"}},
      {"type none without bind",
       {{"destination", "/mnt"}, {"type", "none"}, {"source", files.dir() + "/folder"}},
       {"/mnt", "no such device"}},
      {"unknown file system",
       {{"destination", "/mnt"}, {"type", "nosuchfs"}, {"source", "x"}},
       {"nosuchfs", "no such device"}},
      {"bad option of the file system",
       {{"destination", "/mnt"}, {"type", "tmpfs"}, {"source", "x"}, {"options", {"size=banana"}}},
       {"/mnt", "invalid argument"}},
      {"data for a bind mount",
       {{"destination", "/mnt"},
        {"type", "bind"},
        {"source", files.dir() + "/folder"},
        {"options", {"bind", "size=1m"}}},
       {"size=1m"}},
  };
  for (const Case& wrong : cases) {
    Bundle bundle;
    const size_t index = bundle.config["mounts"].size();
    bundle.config["mounts"].push_back(wrong.mount);
    const std::string error = refusal_of(bundle);
    INFO(wrong.what << ": " << error);
    for (const std::string& part : wrong.parts) CHECK(contains(error, part));
    if (Hull::is_hull()) CHECK(contains(error, "/mounts/" + std::to_string(index)));
  }
}

TEST_CASE("more mounts than descriptors are no problem", "[users-ask-21]") {
  Bundle bundle;
  write_file(bundle.dir() + "/file", "x");
  for (int i = 0; i < 300; ++i) bundle.bind(bundle.dir() + "/file", "/mnt/" + std::to_string(i));
  bundle.script("ls /mnt | wc -l");
  bundle.save();
  Hull hull(bundle);
  const Outcome done =
      run_command({"/bin/sh", "-c", "ulimit -Sn 64; exec \"$0\" \"$@\"", Hull::program(), "--root",
                   hull.root(), "run", "--bundle", bundle.dir(), hull.id()});
  INFO(done.err);
  CHECK(done.out == "300\n");
}

}  // namespace hull::conformance

// hull run by a user without privileges.
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

constexpr unsigned kUser = 4711;

// A bundle of the user's, with a user namespace in which the user is root and nobody else is.
struct Rootless {
  Rootless() {
    bundle.config["linux"].erase("cgroupsPath");
    bundle.config["linux"].erase("resources");
    bundle.user_namespace(kUser, 1);
    // The group is not mapped.
    bundle.mount_at("/dev/pts")["options"] = {"nosuid", "noexec", "newinstance", "ptmxmode=0666"};
    bundle.args({"/bin/sleep", "100"});
    REQUIRE(chown(bundle.dir().c_str(), kUser, kUser) == 0);
  }

  // Runs these words as the user; `setup` is a root's shell script before, in a mount namespace of
  // its own.
  [[nodiscard]] Outcome as_user(const std::vector<std::string>& words,
                                const CommandOptions& options = {}) const {
    std::vector<std::string> all = {"unshare", "-m", "/bin/sh", "-c",
                                    "set -e; " + setup +
                                        "\nexec /usr/bin/setpriv --reuid 4711 --regid 4711 " +
                                        groups + " \"$0\" \"$@\""};
    all.insert(all.end(), words.begin(), words.end());
    return run_command(all, options);
  }
  // "hull WORDS..." in the state root of `hull`.
  [[nodiscard]] Outcome command(const std::vector<std::string>& words) const {
    return as_user(hull.argv(words));
  }
  [[nodiscard]] Outcome run(const std::vector<std::string>& globals = {}) const {
    bundle.save();
    std::vector<std::string> words = globals;
    for (const std::string& word :
         {std::string("run"), std::string("--bundle"), bundle.dir(), hull.id()})
      words.push_back(word);
    return command(words);
  }
  // What the script prints in the container.
  std::string output(const std::string& script) {
    bundle.script(script);
    const Outcome done = run();
    INFO(script << "\n" << done.out << done.err);
    CHECK(done.exit_code == 0);
    return done.out.substr(0, done.out.find_last_not_of('\n') + 1);
  }
  std::string refusal() {
    const Outcome done = run();
    INFO(done.out << done.err);
    CHECK(done.exit_code != 0);
    return done.err;
  }
  void launch() {
    bundle.save();
    for (const auto& words :
         {std::vector<std::string>{"create", "--bundle", bundle.dir(), hull.id()},
          std::vector<std::string>{"start", hull.id()}}) {
      const Outcome done = command(words);
      INFO(done.err);
      REQUIRE(done.exit_code == 0);
    }
  }
  // Ranges that newuidmap and newgidmap may give to the user, who needs a name for that.
  void grant_ranges() {
    write_file(bundle.dir() + "/passwd",
               read_file("/etc/passwd") + "\nhulltest:x:4711:4711::/:/bin/sh\n");
    write_file(bundle.dir() + "/subid", "hulltest:500000:1000\n");
    setup += "mount --bind " + bundle.dir() + "/passwd /etc/passwd; touch /etc/subuid /etc/subgid;";
    for (const char* file : {"/etc/subuid", "/etc/subgid"})
      setup += "mount --bind " + bundle.dir() + "/subid " + file + ";";
    for (const char* key : {"uidMappings", "gidMappings"})
      bundle.config["linux"][key].push_back(
          {{"containerID", 1}, {"hostID", 500'000}, {"size", 1000}});
  }

  Bundle bundle;
  Hull hull{bundle};
  std::string setup;
  std::string groups = "--clear-groups";
};

#define NEEDS_USER_NAMESPACES()                                                                  \
  if (run_command({"setpriv", "--reuid", "4711", "--regid", "4711", "--clear-groups", "unshare", \
                   "-U", "true"})                                                                \
          .exit_code != 0)                                                                       \
  HULL_SKIP("users may not make user namespaces here")

}  // namespace

TEST_CASE("a user without privileges runs a container and is root in it", "[I1][I3]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  CHECK(user.output("id -u; id -g; hostname; awk '{print $1,$2,$3}' /proc/self/uid_map "
                    "/proc/self/gid_map; cat /proc/self/setgroups; touch /made; echo x > /dev/null;"
                    "stat -c '%t:%T' /dev/null; head -c 3 /dev/zero | wc -c; grep -c ' /dev/null ' "
                    "/proc/self/mountinfo; stat -c %a /dev/pts/ptmx; echo $$") ==
        "0\n0\nbox\n0 4711 1\n0 4711 1\ndeny\n1:3\n3\n1\n666\n1");
  struct stat info {};
  REQUIRE(stat(user.bundle.rootfs("/made").c_str(), &info) == 0);
  CHECK(info.st_uid == kUser);
  CHECK(info.st_gid == kUser);
}

TEST_CASE("without privileges every command works on the container", "[I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.launch();
  const Json state = Json::parse(user.command({"state", user.hull.id()}).out);
  CHECK(state["status"] == "running");
  struct stat info {};
  REQUIRE(stat(("/proc/" + std::to_string(state["pid"].get<int>())).c_str(), &info) == 0);
  CHECK(info.st_uid == kUser);
  const Outcome inside =
      user.command({"exec", user.hull.id(), "/bin/sh", "-c",
                    "id -u; for n in user pid mnt net ipc uts; do test $(readlink "
                    "/proc/self/ns/$n) = $(readlink "
                    "/proc/1/ns/$n) || echo $n; done; grep -c . /proc/1/cmdline"});
  INFO(inside.err);
  CHECK(inside.out == "0\n1\n");
  CHECK(contains(user.command({"list"}).out, user.hull.id()));
  CHECK(user.command({"kill", user.hull.id(), "KILL"}).exit_code == 0);
  CHECK(user.hull.reaches("stopped"));
  CHECK(user.command({"delete", user.hull.id()}).exit_code == 0);
  CHECK_FALSE(exists(user.hull.root() + "/" + user.hull.id()));
}

TEST_CASE("root can see and end a user's container", "[I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.launch();
  CHECK(user.hull.status() == "running");
  CHECK(user.hull.inside("id -u") == "0");
  CHECK(user.hull.remove({"--force"}).exit_code == 0);
}

TEST_CASE("the state of a user's containers is below $XDG_RUNTIME_DIR", "[I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  const std::string runtime = user.bundle.dir() + "/run";
  make_directories(runtime, 0700);
  REQUIRE(chown(runtime.c_str(), kUser, kUser) == 0);
  user.bundle.save();
  CommandOptions options;
  options.env = {"XDG_RUNTIME_DIR=" + runtime};
  const std::string& id = user.hull.id();
  const Outcome made =
      user.as_user({Hull::program(), "create", "--bundle", user.bundle.dir(), id}, options);
  INFO(made.err);
  REQUIRE(made.exit_code == 0);
  const Json state = Json::parse(read_file(runtime + "/hull/" + id + "/state.json"));
  CHECK(state["rootless"] == true);
  CHECK(state["cgroup_paths"].empty());
  struct stat info {};
  REQUIRE(stat((runtime + "/hull").c_str(), &info) == 0);
  CHECK((info.st_mode & 07777) == 01700);
  CHECK(user.as_user({Hull::program(), "delete", "--force", id}, options).exit_code == 0);
}

TEST_CASE("what spec --rootless writes runs as it is", "[I6][B38]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  unlink((user.bundle.dir() + "/config.json").c_str());
  const Outcome written =
      user.as_user({Hull::program(), "spec", "--rootless", "--bundle", user.bundle.dir()});
  INFO(written.err);
  REQUIRE(written.exit_code == 0);
  Json config = Json::parse(user.bundle.read("config.json"));
  CHECK(config["linux"]["uidMappings"][0]["hostID"] == kUser);
  config["process"]["terminal"] = false;
  config["process"]["env"].push_back("MARK=" + user.bundle.mark());
  user.bundle.config = config;
  // I7, CVE-2023-25809: the host's cgroups are there, but read-only all over.
  CHECK(
      user.output("id -u; test -d /sys/class && echo sys; for d in $(find /sys/fs/cgroup -type d "
                  "-maxdepth 2); do touch $d/x 2>/dev/null && echo wrote $d; mkdir $d/new "
                  "2>/dev/null && echo made $d; done; grep ' /sys' /proc/self/mountinfo | grep -vc "
                  "' ro,' || :") == "0\nsys\n0");
}

TEST_CASE("a user's container needs a user namespace", "[I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.remove_name_space("user");
  for (const char* key : {"uidMappings", "gidMappings"}) user.bundle.config["linux"].erase(key);
  CHECK(contains(user.refusal(), "rootless container requires user namespaces"));
}

TEST_CASE("a user can't map the IDs of others", "[I1][I2]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["linux"]["uidMappings"][0]["hostID"] = 0;
  const std::string error = user.refusal();
  CHECK(contains(error, "newuidmap"));
  CHECK(contains(error, "/linux/uidMappings"));
}

TEST_CASE("ranges of IDs are mapped by newuidmap and newgidmap", "[I2][I3]") {
  NEEDS_USER_NAMESPACES();
  if (!exists("/usr/bin/newuidmap")) HULL_SKIP("newuidmap is not installed");
  Rootless user;
  user.grant_ranges();
  user.bundle.config["process"]["user"] = {{"uid", 7}, {"gid", 8}, {"additionalGids", {9, 10}}};
  CHECK(user.output("id -u; id -G; awk '{print $1,$2,$3}' /proc/self/uid_map /proc/self/gid_map;"
                    "cat /proc/self/setgroups") ==
        "7\n8 9 10\n0 4711 1\n1 500000 1000\n0 4711 1\n1 500000 1000\nallow");
}

TEST_CASE("a container whose program is another user is killed and deleted by its owner", "[I2]") {
  NEEDS_USER_NAMESPACES();
  if (!exists("/usr/bin/newuidmap")) HULL_SKIP("newuidmap is not installed");
  Rootless user;
  user.grant_ranges();
  user.bundle.config["process"]["user"] = {{"uid", 7}, {"gid", 8}};
  user.launch();
  const Outcome inside = user.command({"exec", "--user", "9:10", user.hull.id(), "id", "-u"});
  INFO(inside.err);
  CHECK(inside.out == "9\n");
  CHECK(user.command({"delete", "--force", user.hull.id()}).exit_code == 0);
  CHECK(user.hull.status().empty());
}

TEST_CASE("ranges that are not granted, and a missing newuidmap, are named", "[I2]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.grant_ranges();
  user.bundle.config["linux"]["uidMappings"][1]["size"] = 1001;
  if (exists("/usr/bin/newuidmap")) CHECK(contains(user.refusal(), "/etc/subuid must grant"));
  user.setup += "export PATH=/nowhere;";
  const std::string error = user.refusal();
  CHECK(contains(error, "needs newuidmap, which is not in $PATH"));
  CHECK(contains(error, "package uidmap"));
}

TEST_CASE("groups can't be set where the kernel denies it", "[I3]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["process"]["user"]["additionalGids"] = {0};
  const std::string error = user.refusal();
  CHECK(contains(error, "cannot set any additional groups in a rootless container"));
  CHECK(contains(error, "/process/user/additionalGids"));
}

TEST_CASE("mount options with IDs that are not mapped are refused by name", "[I3]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.mount("/mnt", "tmpfs", "tmpfs", {"uid=1"});
  CHECK(contains(user.refusal(), "cannot specify uid=1 mount option for rootless container"));
  user.bundle.mount_at("/mnt") = {
      {"destination", "/mnt"}, {"source", user.bundle.dir()}, {"options", {"bind", "idmap"}}};
  CHECK(contains(user.refusal(), "id-mapped mounts are not supported for rootless containers"));
}

TEST_CASE("sysfs without a network namespace: the error tells to bind /sys", "[I5]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.remove_name_space("network");
  CHECK(contains(user.refusal(), "bind the host's /sys instead"));
}

TEST_CASE("without permission a container goes without cgroups, but not without its limits",
          "[F37][I7]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["linux"]["resources"]["pids"] = {{"limit", 10}};
  CHECK(contains(user.refusal(), "cgroup"));
  user.bundle.config["linux"].erase("resources");
  CHECK(user.output("echo ran") == "ran");
  user.bundle.config["linux"]["cgroupsPath"] = "/" + user.bundle.mark();
  CHECK(contains(user.refusal(), "/linux/cgroupsPath"));
}

TEST_CASE("--rootless says whether a cgroup that can't be made is an error", "[I1][F37]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.script("echo ran");
  for (const char* value : {"true", "auto", "TRUE", "1"})
    CHECK(user.run({"--rootless", value}).out == "ran\n");
  const Outcome refused = user.run({"--rootless", "false"});
  CHECK(refused.exit_code != 0);
  CHECK(contains(refused.err, "cannot make cgroup"));
  CHECK(contains(user.run({"--rootless", "perhaps"}).err, "--rootless"));
}

TEST_CASE("limits are set in cgroups that belong to the user", "[F37]") {
  NEEDS_USER_NAMESPACES();
  if (in_cgroup_v2("pids")) HULL_SKIP("on cgroup v2 that is systemd's affair");
  Rootless user;
  // Made by root in every hierarchy; the user's shell is in the v2 one, from where alone it may
  // move within.
  user.setup = "for d in $(awk '$3 ~ /^cgroup2?$/ {print $2}' /proc/mounts); do mkdir -p $d/" +
               user.bundle.mark() + "; chown 4711 $d/" + user.bundle.mark() + " $d/" +
               user.bundle.mark() +
               "/cgroup.procs; case $d in */cpuset) for f in cpus mems; do cat $d/cpuset.$f > $d/" +
               user.bundle.mark() + "/cpuset.$f; done; esac; done;" +
               "if test -d /sys/fs/cgroup/unified; "
               "then echo $$ > /sys/fs/cgroup/unified/" +
               user.bundle.mark() + "/cgroup.procs; fi;";
  user.bundle.config["linux"]["cgroupsPath"] = "/" + user.bundle.mark() + "/inner";
  user.bundle.config["linux"]["resources"]["pids"] = {{"limit", 77}};
  user.launch();
  CHECK(user.hull.cgroup_file("pids", "pids.max") == "77");
  CHECK(user.command({"delete", "--force", user.hull.id()}).exit_code == 0);
  CHECK(eventually([&] {
    for (const std::string& path : cgroups_with(user.bundle.mark())) rmdir(path.c_str());
    return cgroups_with(user.bundle.mark()).empty();
  }));
}

TEST_CASE("SIGKILL ends the init where there is neither a cgroup nor a pid namespace",
          "[B22][I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.remove_name_space("pid");
  // A new proc would need one.
  Json& proc = user.bundle.mount_at("/proc");
  proc["type"] = "none";
  proc["source"] = "/proc";
  proc["options"] = {"rbind", "nosuid", "noexec", "nodev"};
  user.launch();
  CHECK(user.command({"kill", user.hull.id(), "KILL"}).exit_code == 0);
  CHECK(eventually([&] { return user.hull.status() == "stopped"; }));
}

TEST_CASE("a user's rlimits can go down, and up to the hard limit only", "[D32][I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["process"]["rlimits"] = {
      {{"type", "RLIMIT_NOFILE"}, {"soft", 77}, {"hard", 88}}};
  CHECK(user.output("ulimit -Sn; ulimit -Hn") == "77\n88");
  user.setup = "ulimit -n 1000;";
  user.bundle.config["process"]["rlimits"][0]["hard"] = 1001;
  CHECK(contains(user.refusal(), "operation not permitted"));
}

TEST_CASE("oomScoreAdj is raised; a lower one is a warning without privileges", "[D37][I9]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["process"]["oomScoreAdj"] = 321;
  CHECK(user.output("cat /proc/self/oom_score_adj") == "321");
  user.bundle.config["process"]["oomScoreAdj"] = -321;
  user.bundle.script("echo ran");
  const Outcome done = user.run();
  CHECK(done.out == "ran\n");
  CHECK(contains(done.err, "oomScoreAdj stays as it is"));
}

TEST_CASE("the caller's groups stay with run.oci.keep_original_groups", "[I8]") {
  NEEDS_USER_NAMESPACES();
  const auto groups = [](bool keep) {
    Bundle bundle;
    if (keep) bundle.config["annotations"]["run.oci.keep_original_groups"] = "1";
    bundle.script("grep ^Groups: /proc/self/status | tr -s '\\t ' ' '");
    bundle.save();
    const Hull hull(bundle);
    std::vector<std::string> words = {"setpriv", "--groups", "5551,5552"};
    for (const std::string& word : hull.argv({"run", "--bundle", bundle.dir(), hull.id()}))
      words.push_back(word);
    return run_command(words).out;
  };
  CHECK(groups(true) == "Groups: 5551 5552 \n");
  CHECK(groups(false) == "Groups: \n");

  if (!exists("/usr/bin/newgidmap")) HULL_SKIP("newgidmap is not installed");
  // A file of a group that is not mapped is in reach.
  Rootless user;
  user.grant_ranges();
  user.groups = "--groups 5551";
  write_file(user.bundle.rootfs("/secret"), "content\n");
  REQUIRE(chown(user.bundle.rootfs("/secret").c_str(), 0, 5551) == 0);
  REQUIRE(chmod(user.bundle.rootfs("/secret").c_str(), 0640) == 0);
  CHECK(user.output("cat /secret 2>/dev/null || echo closed") == "closed");
  user.bundle.config["annotations"]["run.oci.keep_original_groups"] = "1";
  CHECK(user.output("cat /secret") == "content");
}

TEST_CASE("a user's container joins the user and pid namespaces of another", "[E7][I1]") {
  NEEDS_USER_NAMESPACES();
  Rootless first;
  first.launch();
  const std::string ns = "/proc/" + std::to_string(first.hull.pid()) + "/ns/";
  Rootless second;
  second.bundle.name_space("user")["path"] = ns + "user";
  second.bundle.name_space("pid")["path"] = ns + "pid";
  CHECK(second.output("id -u; tr '\\0' ' ' < /proc/1/cmdline; echo") == "0\n/bin/sleep 100 ");
  second.bundle.name_space("network")["path"] = ns + "net";
  second.bundle.name_space("ipc")["path"] = ns + "ipc";
  CHECK(second.output("readlink /proc/self/ns/net") != "");
}

TEST_CASE("root joins the user and pid namespaces of a container", "[E7]") {
  Bundle first;
  first.user_namespace(200'000, 1000);
  first.args({"/bin/sleep", "100"});
  Hull hull(first);
  hull.launch();
  const std::string ns = "/proc/" + std::to_string(hull.pid()) + "/ns/";
  Bundle second;
  second.user_namespace(200'000, 1000);
  second.name_space("user")["path"] = ns + "user";
  second.name_space("pid")["path"] = ns + "pid";
  second.args({"/bin/sleep", "100"});
  Hull other(second);
  other.launch();
  CHECK(contains(read_file("/proc/" + std::to_string(other.pid()) + "/environ"), second.mark()));
  CHECK(other.inside("tr '\\0' ' ' < /proc/1/cmdline") == "/bin/sleep 100 ");
}

TEST_CASE("hull runs as root of a user namespace, with or without another one inside", "[I9]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.config["process"]["oomScoreAdj"] = -100;
  const auto run_inside = [&](const std::string& script) {
    user.bundle.script(script);
    user.bundle.save();
    std::vector<std::string> words = {"unshare", "-Urm"};
    for (const std::string& word :
         user.hull.argv({"run", "--bundle", user.bundle.dir(), user.hull.id()}))
      words.push_back(word);
    const Outcome done = user.as_user(words);
    INFO(done.err);
    CHECK(done.exit_code == 0);
    return done.out;
  };
  const std::string script =
      "id -u; awk '{print $1,$2,$3}' /proc/self/uid_map; echo x > /dev/null; grep -c ' /dev/null ' "
      "/proc/self/mountinfo; ls /dev/pts";
  for (const char* key : {"uidMappings", "gidMappings"})
    user.bundle.config["linux"][key][0]["hostID"] = 0;
  CHECK(run_inside(script) == "0\n0 0 1\n1\nptmx\n");
  user.bundle.remove_name_space("user");
  for (const char* key : {"uidMappings", "gidMappings"}) user.bundle.config["linux"].erase(key);
  CHECK(run_inside(script) == "0\n0 4711 1\n1\nptmx\n");
}

TEST_CASE("a host that forbids user namespaces is told by name", "[I1][users-ask-17]") {
  NEEDS_USER_NAMESPACES();
  Rootless user;
  user.bundle.save();
  std::vector<std::string> words = {
      "unshare", "-Ur", "/bin/sh", "-c",
      "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$0\" \"$@\""};
  for (const auto& word : user.hull.argv({"run", "--bundle", user.bundle.dir(), user.hull.id()}))
    words.push_back(word);
  CHECK(contains(user.as_user(words).err, "sysctl user.max_user_namespaces is 0"));
}

}  // namespace hull::conformance

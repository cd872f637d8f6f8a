#include "conformance/container/legacy_scene.h"

#include <dirent.h>
#include <sys/prctl.h>

#include <csignal>
#include <cstdlib>

#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"

namespace hull::conformance {

LegacyScene::LegacyScene() {
  config = {
      {"environment", {"PATH=/bin:/sbin", "MARK=" + mark()}},
      {"namespaces",
       {{"NEWNS", true}, {"NEWUTS", true}, {"NEWIPC", true}, {"NEWPID", true}, {"NEWNET", true}}},
      {"cgroups", {{"parent", mark()}, {"name", "box"}}}};
  make_directories(bundle_.dir() + "/state", 0700);
}

LegacyScene::~LegacyScene() {
  CHECK(eventually([&] { return processes_with(mark()).empty(); }));
  for (const pid_t pid : processes_with(mark())) ::kill(pid, SIGKILL);
  CHECK(file("pid").empty());
  CHECK(file("start").empty());
  CHECK(mounts_with(mark()) == std::vector<std::string>());
  const Outcome left = hull({"list", "-q"});
  CHECK(left.out.empty());
  // The parent of the container's cgroup is the callers' own to remove.
  for (const std::string& path : cgroups_with(mark())) {
    CHECK(path.ends_with(mark()));
    CHECK(rmdir(path.c_str()) == 0);
  }
  reap_orphans();
}

std::vector<std::string> LegacyScene::argv(const std::vector<std::string>& words) const {
  write_file(dir() + "/container.json", config.dump(1));
  std::vector<std::string> all = {Hull::program(), "--root", bundle_.dir() + "/state", "nsinit"};
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Outcome LegacyScene::nsinit(const std::vector<std::string>& words, CommandOptions options) const {
  if (options.dir.empty()) options.dir = dir();
  return run_command(argv(words), options);
}

std::string LegacyScene::sh(const std::string& script) const {
  Outcome done = nsinit({"exec", "/bin/sh", "-c", script});
  INFO(script << "\n" << done.out << done.err);
  REQUIRE(done.exit_code == 0);
  if (done.out.ends_with('\n')) done.out.pop_back();
  return done.out;
}

std::string LegacyScene::file(const std::string& name) const {
  return read_file_if_exists(dir() + "/" + name).value_or("");
}

pid_t LegacyScene::pid() const {
  REQUIRE(eventually([&] { return !file("pid").empty(); }));
  return std::atoi(file("pid").c_str());
}

Outcome LegacyScene::hull(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {Hull::program(), "--root", bundle_.dir() + "/state"};
  all.insert(all.end(), words.begin(), words.end());
  return run_command(all);
}

LegacyRun::LegacyRun(const LegacyScene& scene, const std::string& script)
    : scene_(scene),
      process_(scene.argv({"exec", "/bin/sh", "-c", script}), {.dir = scene.dir()}) {}

LegacyRun::~LegacyRun() {
  if (ended_) return;
  ::kill(scene_.pid(), SIGKILL);
  process_.wait();
}

Outcome LegacyRun::wait() {
  ended_ = true;
  return process_.wait();
}

}  // namespace hull::conformance

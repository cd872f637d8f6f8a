#include "conformance/container/hull.h"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "conformance/container/host.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

// Inits of detached containers become our children, so that a stopped one is a zombie until we take
// it: a container manager does the same.
void become_subreaper() {
  static const int result = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  REQUIRE(result == 0);
}

std::string without_newline(std::string text) {
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

const std::string& Hull::program() {
  static const std::string path = [] {
    const char* given = std::getenv("HULL");
    return std::string(given != nullptr && *given != '\0' ? given : HULL_DEFAULT_RUNTIME);
  }();
  return path;
}

bool Hull::is_hull() {
  static const bool answer = contains(run_command({program(), "--version"}).out, "hull version");
  return answer;
}

Hull::Hull(const Bundle& bundle)
    : bundle_(bundle), id_(bundle.mark()), root_(bundle.dir() + "/state") {
  become_subreaper();
}

Hull::Hull(const Bundle& bundle, const Hull& neighbour)
    : bundle_(bundle), id_(bundle.mark() + "b"), root_(neighbour.root_) {}

Hull::~Hull() {
  if (exists(root_ + "/" + id_)) {
    const Outcome removed = command({"delete", "--force", id_});
    INFO(removed.err);
    CHECK(removed.exit_code == 0);
  }
  check_nothing_left();
  reap_orphans();
}

void Hull::check_nothing_left() const {
  // A killed process takes a moment to go.
  CHECK(eventually(
      [&] { return processes_with(id_ + "\n").empty() && processes_with(bundle_.mark()).empty(); },
      std::chrono::milliseconds(2000)));
  CHECK(mounts_with(id_) == std::vector<std::string>());
  CHECK(cgroups_with(id_) == std::vector<std::string>());
  CHECK_FALSE(exists(root_ + "/" + id_));
  // So that a failed test does not spoil the next.
  for (const pid_t pid : processes_with(bundle_.mark())) ::kill(pid, SIGKILL);
  for (const std::string& path : cgroups_with(id_)) rmdir(path.c_str());
}

std::vector<std::string> Hull::argv(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {program(), "--root", root_};
  if (by_systemd()) all.push_back("--systemd-cgroup");
  all.insert(all.end(), words.begin(), words.end());
  return all;
}

Outcome Hull::command(const std::vector<std::string>& words, const CommandOptions& options) const {
  return run_command(argv(words), options);
}

Outcome Hull::run(const std::vector<std::string>& flags, const CommandOptions& options) {
  bundle_.save();
  std::vector<std::string> words = {"run", "--bundle", bundle_.dir()};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(id_);
  return command(words, options);
}

Outcome Hull::create(const std::vector<std::string>& flags, const CommandOptions& options) {
  bundle_.save();
  std::vector<std::string> words = {"create", "--bundle", bundle_.dir()};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(id_);
  return command(words, options);
}

Outcome Hull::start() { return command({"start", id_}); }

void Hull::launch(const std::vector<std::string>& flags) {
  const Outcome created = create(flags);
  INFO(created.err);
  REQUIRE(created.exit_code == 0);
  const Outcome started = start();
  INFO(started.err);
  REQUIRE(started.exit_code == 0);
}

Outcome Hull::exec(const std::vector<std::string>& args, const std::vector<std::string>& flags,
                   const CommandOptions& options) {
  std::vector<std::string> words = {"exec"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(id_);
  words.insert(words.end(), args.begin(), args.end());
  return command(words, options);
}

std::string Hull::inside(const std::string& script, const std::vector<std::string>& flags) {
  const Outcome done = exec({"/bin/sh", "-c", script}, flags);
  INFO(script << "\n" << done.out << done.err);
  REQUIRE(done.exit_code == 0);
  return without_newline(done.out);
}

Outcome Hull::kill(const std::string& signal) { return command({"kill", id_, signal}); }

Outcome Hull::remove(const std::vector<std::string>& flags) {
  std::vector<std::string> words = {"delete"};
  words.insert(words.end(), flags.begin(), flags.end());
  words.push_back(id_);
  return command(words);
}

Json Hull::state() const {
  const Outcome asked = command({"state", id_});
  INFO(asked.err);
  REQUIRE(asked.exit_code == 0);
  return Json::parse(asked.out);
}

std::string Hull::status() const {
  const Outcome asked = command({"state", id_});
  return asked.exit_code == 0 ? Json::parse(asked.out).at("status").get<std::string>() : "";
}

bool Hull::reaches(const std::string& status_wanted) const {
  return eventually([&] { return status() == status_wanted; });
}

pid_t Hull::pid() const { return state().at("pid").get<pid_t>(); }

std::string Hull::cgroup_file(const std::string& controller, const std::string& name) const {
  return without_newline(read_file(cgroup_of(pid(), controller) + "/" + name));
}

std::string Hull::refusal() {
  const Outcome created = create();
  INFO("config.json was accepted, but must not be");
  CHECK(created.exit_code != 0);
  CHECK_FALSE(created.err.empty());
  return created.err;
}

std::string output_of(Bundle& bundle, const std::string& script) {
  bundle.script(script);
  Hull hull(bundle);
  const Outcome done = hull.run();
  INFO(script << "\n" << done.out << done.err);
  REQUIRE(done.exit_code == 0);
  return without_newline(done.out);
}

std::string refusal_of(const Bundle& bundle) { return Hull(bundle).refusal(); }

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace hull::conformance

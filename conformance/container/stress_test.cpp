// Many at once, and many after each other: nothing fails, nothing stays.
#include <sys/wait.h>

#include <cerrno>
#include <deque>
#include <filesystem>
#include <functional>

#include "conformance/container/bundle.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

// More than the cores by so much that they get into each other's way.
constexpr size_t kAtOnce = 24;

CommandOptions patient() {
  CommandOptions options;
  options.timeout = std::chrono::seconds(60);
  return options;
}

// Runs the command lines, kAtOnce of them at a time, and shows the outcome of each in their order.
void run_all(const std::vector<std::vector<std::string>>& commands,
             const std::function<void(size_t, const Outcome&)>& look) {
  std::deque<Process> running;
  size_t ended = 0;
  const auto end_one = [&] {
    look(ended++, running.front().wait());
    running.pop_front();
  };
  for (const auto& command : commands) {
    if (running.size() == kAtOnce) end_one();
    running.emplace_back(command, patient());
  }
  while (!running.empty()) end_one();
}

// All that a container leaves running comes to us, the subreaper.
bool no_child_is_left() {
  siginfo_t info{};
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 && errno == ECHILD;
}

void check_host_is_as_before(const Bundle& bundle, const Hull& hull) {
  CHECK(eventually(no_child_is_left));
  CHECK(processes_with(bundle.mark()).empty());
  CHECK(cgroups_with(bundle.mark()) == std::vector<std::string>());
  CHECK(mounts_with(bundle.mark()) == std::vector<std::string>());
  CHECK(std::filesystem::is_empty(hull.root()));
}

// A bomb that has gone off in a container is deleted by force; `rounds` of them, 8 at a time.
void fork_bombs(size_t rounds) {
  constexpr size_t kBombs = 8;
  Bundle bundle;
  bundle.config["linux"].erase("cgroupsPath");
  bundle.config["linux"]["resources"]["pids"]["limit"] = 40;
  bundle.script("bomb() { bomb & bomb & sleep 0.05; bomb; }; bomb & bomb & while :; do wait; done");
  bundle.save();
  const Hull hull(bundle);
  for (size_t done = 0; done < rounds; done += kBombs) {
    std::vector<std::string> ids;
    for (size_t i = done; i < done + kBombs; ++i)
      ids.push_back(hull.id() + "-" + std::to_string(i));
    std::vector<std::vector<std::string>> runs;
    std::vector<std::vector<std::string>> removals;
    for (const std::string& id : ids) {
      runs.push_back(hull.argv({"run", "-d", "--bundle", bundle.dir(), id}));
      removals.push_back(hull.argv({"delete", "--force", id}));
    }
    const auto succeeds = [](size_t i, const Outcome& outcome) {
      INFO("bomb " << i << ": " << outcome.err);
      REQUIRE(outcome.exit_code == 0);
    };
    run_all(runs, succeeds);
    // Every one is at its limit, or near it.
    REQUIRE(eventually([&] { return processes_with(bundle.mark()).size() > kBombs * 10; },
                       std::chrono::milliseconds(20'000)));
    run_all(removals, succeeds);
    REQUIRE(processes_with(bundle.mark()).empty());
    REQUIRE(cgroups_with(bundle.mark()).empty());
  }
  check_host_is_as_before(bundle, hull);
}

}  // namespace

TEST_CASE("create and start of a short program never fail", "[B11][B17][slow]") {
  Bundle bundle;
  // Every container its own cgroup, named as its ID.
  bundle.config["linux"].erase("cgroupsPath");
  bundle.save();
  const Hull hull(bundle);
  constexpr size_t kRounds = 500;
  constexpr size_t kBatch = 4;
  const std::vector<std::string> steps[] = {
      {"create", "--bundle", bundle.dir()}, {"start"}, {"delete", "--force"}};
  size_t failures = 0;
  for (size_t done = 0; done < kRounds && failures == 0; done += kBatch) {
    for (const auto& step : steps) {
      std::vector<std::vector<std::string>> commands;
      for (size_t i = done; i < done + kBatch; ++i) {
        commands.push_back(hull.argv(step));
        commands.back().push_back(hull.id() + "-" + std::to_string(i));
      }
      run_all(commands, [&](size_t i, const Outcome& outcome) {
        INFO(step[0] << " of round " << done + i << ": " << outcome.err);
        CHECK(outcome.exit_code == 0);
        failures += outcome.exit_code != 0 ? 1 : 0;
      });
    }
  }
  check_host_is_as_before(bundle, hull);
}

TEST_CASE("forty fork bombs, eight at a time, are deleted by force", "[B24][users-ask-6][slow]") {
  fork_bombs(40);
}

TEST_CASE("a thousand fork bombs, eight at a time, are deleted by force",
          "[.slow-fork-bombs][B24][users-ask-6]") {
  fork_bombs(1000);
}

TEST_CASE("two hundred runs at once leave nothing", "[B18][slow]") {
  Bundle bundle;
  bundle.config["linux"].erase("cgroupsPath");
  bundle.script("exit 7");
  bundle.save();
  const Hull hull(bundle);
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 200; ++i)
    commands.push_back(
        hull.argv({"run", "--bundle", bundle.dir(), hull.id() + "-" + std::to_string(i)}));
  run_all(commands, [](size_t i, const Outcome& outcome) {
    INFO("run " << i << ": " << outcome.err);
    CHECK(outcome.exit_code == 7);
  });
  check_host_is_as_before(bundle, hull);
}

TEST_CASE("creates and deletes of one ID at once are one after the other", "[C1][slow]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.save();
  Hull hull(bundle);
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 100; ++i) {
    commands.push_back(hull.argv({"create", "--bundle", bundle.dir(), hull.id()}));
    commands.push_back(hull.argv({"delete", hull.id()}));
  }
  int created = 0;
  int deleted = 0;
  run_all(commands, [&](size_t i, const Outcome& outcome) {
    const bool create = i % 2 == 0;
    if (outcome.exit_code == 0) {
      ++(create ? created : deleted);
      return;
    }
    INFO((create ? "create: " : "delete: ") << outcome.exit_code << " " << outcome.err);
    CHECK(outcome.exit_code == 1);
    // Who comes too late or too early is told so; nobody trips over another's half-done work.
    CHECK(contains(outcome.err,
                   create ? "container with given ID already exists" : "container does not exist"));
  });
  const bool one_is_left = hull.status() == "created";
  CHECK(created > 1);
  CHECK(created == deleted + (one_is_left ? 1 : 0));
  if (one_is_left) CHECK(hull.remove().exit_code == 0);
  check_host_is_as_before(bundle, hull);
}

TEST_CASE("creates and forced deletes of one ID at once leave nothing", "[C1][B24][slow]") {
  Bundle bundle;
  bundle.args({"/bin/sleep", "100"});
  bundle.save();
  Hull hull(bundle);
  std::vector<std::vector<std::string>> commands;
  for (int i = 0; i < 100; ++i) {
    commands.push_back(hull.argv({"create", "--bundle", bundle.dir(), hull.id()}));
    commands.push_back(hull.argv({"delete", "--force", hull.id()}));
  }
  run_all(commands, [&](size_t i, const Outcome& outcome) {
    const bool create = i % 2 == 0;
    INFO((create ? "create: " : "delete: ") << outcome.exit_code << " " << outcome.err);
    if (create) {  // a delete may have come in between each time
      CHECK((outcome.exit_code == 0 || outcome.exit_code == 1));
      CHECK((outcome.exit_code == 0 || !outcome.err.empty()));
    } else {
      CHECK(outcome.exit_code == 0);
    }
  });
  CHECK(hull.remove({"--force"}).exit_code == 0);
  check_host_is_as_before(bundle, hull);
  // And the ID is as good as new.
  CHECK(hull.create().exit_code == 0);
}

}  // namespace hull::conformance

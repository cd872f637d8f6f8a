#include "libruntime/state/state.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

#include "libruntime/state/oci_state.h"
#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/process_stat.h"

using namespace hull;

namespace {

class Root {
 public:
  Root() {
    char name[] = "/tmp/hull-state.XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    path_ = name;
  }
  ~Root() {
    const std::string command = "rm -rf " + path_;
    if (std::system(command.c_str()) != 0) std::printf("left behind: %s\n", path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

state::State sample() {
  state::State out;
  out.id = "c1";
  out.init_pid = 4321;
  out.init_start_time = 99;
  out.created = "2026-01-02T03:04:05Z";
  out.cgroup_paths = {{"memory", "/sys/fs/cgroup/memory/c1"}, {"", "/sys/fs/cgroup/unified/c1"}};
  out.config.labels = {"bundle=/b", "a=b=c"};
  out.config.rootfs = "/b/rootfs";
  return out;
}

pid_t fork_child() {
  const pid_t pid = fork();
  if (pid == 0) {
    pause();
    _exit(0);
  }
  return pid;
}

}  // namespace

TEST_CASE("A state comes out of its JSON as it went in") {
  const state::State out = state::from_json(state::to_json(sample()));
  CHECK(out.id == "c1");
  CHECK(out.init_pid == 4321);
  CHECK(out.init_start_time == 99);
  CHECK(out.cgroup_paths == sample().cgroup_paths);
  CHECK(out.config.labels == sample().config.labels);
}

TEST_CASE("A state that was cut off, or names init or odd cgroups, is refused") {
  const std::string text = state::to_json(sample());
  CHECK_THROWS_AS(state::from_json(""), Error);
  CHECK_THROWS_AS(state::from_json(text.substr(0, text.size() / 2)), Error);
  CHECK_THROWS_AS(state::from_json(R"({"init_process_pid":1})"), Error);
  CHECK_THROWS_AS(state::from_json(R"({"init_process_pid":"7"})"), Error);
  CHECK_THROWS_AS(state::from_json(R"({"cgroup_paths":{"memory":"/sys/fs/cgroup/memory/../.."}})"),
                  Error);
  CHECK_THROWS_AS(state::from_json("[]"), Error);
}

TEST_CASE("A live init is alive; a zombie, a dead and a reused pid are not", "[L41][L42][L43]") {
  state::State state = sample();
  const pid_t pid = fork_child();
  state.init_pid = pid;
  state.init_start_time = read_process_stat(pid)->start_time;
  CHECK(state::init_alive(state));
  state.init_start_time += 1;
  CHECK_FALSE(state::init_alive(state));
  state.init_start_time -= 1;
  kill(pid, SIGKILL);
  siginfo_t info{};
  waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT);
  CHECK(read_process_stat(pid)->state == 'Z');
  CHECK_FALSE(state::init_alive(state));
  waitpid(pid, nullptr, 0);
  CHECK_FALSE(state::init_alive(state));
  state.init_pid = 0;
  CHECK_FALSE(state::init_alive(state));
}

TEST_CASE("The directory of Intel RDT is written down, and must be a clean path") {
  state::State in = sample();
  CHECK(state::to_json(in).find(R"("intel_rdt_path":"")") != std::string::npos);
  in.intel_rdt_path = "/sys/fs/resctrl/c1";
  CHECK(state::from_json(state::to_json(in)).intel_rdt_path == in.intel_rdt_path);
  for (const char* bad : {"relative", "/a/../b"}) {
    in.intel_rdt_path = bad;
    CHECK_THROWS_AS(state::from_json(state::to_json(in)), Error);
  }
}

TEST_CASE("An ID is claimed once, and may be claimed again after it was removed") {
  const Root root;
  {
    state::Directory first = state::Directory::claim(root.path() + "/made", "c1");
    CHECK_THROWS_WITH(state::Directory::claim(root.path() + "/made", "c1"),
                      hull::testing::contains("container with given ID already exists"));
    first.save(sample());
    first.make_exec_fifo(0, 0);
    CHECK(first.has_exec_fifo());
    CHECK(first.load().id == "c1");
    CHECK(state::list_ids(root.path() + "/made") == std::vector<std::string>{"c1"});
    first.remove();
  }
  CHECK(state::list_ids(root.path() + "/made").empty());
  CHECK_THROWS_WITH(state::Directory::open(root.path() + "/made", "c1"),
                    "container does not exist");
  state::Directory::claim(root.path() + "/made", "c1").remove();
}

TEST_CASE("A waiter for a deleted container's lock is told that it is gone") {
  const Root root;
  state::Directory first = state::Directory::claim(root.path(), "c1");
  state::Directory second = state::Directory::open(root.path(), "c1");
  first.remove();
  first.unlock();
  CHECK_THROWS_WITH(second.lock(), "container does not exist");
}

TEST_CASE("A state directory with more in it than usual is removed with it") {
  const Root root;
  state::Directory dir = state::Directory::claim(root.path(), "c1");
  dir.save(sample());
  make_directories(dir.path() + "/notify/deep", 0700);
  replace_file(dir.path() + "/notify/deep/x", "1", 0600);
  dir.remove();
  CHECK(access((root.path() + "/c1").c_str(), F_OK) != 0);
}

TEST_CASE("IDs are of letters, digits and a few marks") {
  for (const char* good : {"a", "A-b_c.d+1", "..."}) CHECK_NOTHROW(state::check_id(good));
  CHECK_THROWS_WITH(state::check_id(""), hull::testing::contains("container id cannot be empty"));
  for (const char* bad : {".", "..", "a/b", "a b", "a\n", "\xc3\xa4"})
    CHECK_THROWS_WITH(state::check_id(bad), hull::testing::contains("invalid container ID format"));
  CHECK_THROWS_AS(state::check_id(std::string(1025, 'a')), Error);
}

TEST_CASE("The states that hooks and callers get have the spec's keys") {
  CHECK(
      state::spec_state(sample().config, "c1", "creating", "@PID@") ==
      R"({"ociVersion":"1.3.0","id":"c1","status":"creating","pid":@PID@,"bundle":"/b","annotations":{"a":"b=c"}})");
  CHECK(state::query_state(sample(), state::Status::stopped, "root")
            .starts_with("{\n  \"ociVersion\": \"1.3.0\",\n  \"id\": \"c1\",\n  \"pid\": 0,\n  "
                         "\"status\": \"stopped\","));
}

#include "libruntime/resctrl/group.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "libruntime/system/catch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::resctrl {
namespace {

namespace fs = std::filesystem;
using configs::IntelRdt;

// A directory that looks like the file system on a machine with L3 and bandwidth allocation.
class FakeTree {
 public:
  FakeTree() {
    char name[] = "/tmp/hull-resctrl-XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
    for (const char* dir : {"info", "info/L3", "info/MB", "mon_groups", "gold", "gold/mon_groups"})
      make(dir);
    put("gold/schemata", "    MB:0=100\n    L3:0=00ff;1=0f\n");
    put("schemata", "    MB:0=100\n    L3:0=ffff\n");
    put("info/last_cmd_status", "ok\n");
  }
  ~FakeTree() { fs::remove_all(root_); }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] std::string get(const std::string& file) const {
    return read_file_if_exists(root_ + "/" + file).value_or("none");
  }
  [[nodiscard]] bool has(const std::string& file) const { return fs::exists(root_ + "/" + file); }
  void put(const std::string& file, const std::string& text) const {
    replace_file(root_ + "/" + file, text, 0644);
  }
  void make(const std::string& dir) const { fs::create_directory(root_ + "/" + dir); }
  void enter_as(const IntelRdt& config) const {
    enter(group_path(root_, config, "c1"), config, "c1", 77);
  }
  [[nodiscard]] std::string error_of(const IntelRdt& config) const {
    try {
      enter_as(config);
    } catch (const Error& e) {
      return e.what();
    }
    return "ok";
  }

 private:
  std::string root_;
};

IntelRdt of_class(const std::string& id) {
  IntelRdt out;
  out.clos_id = id;
  return out;
}

// A kernel file system whose directories have `tasks` and can be removed with it: a v1 cgroup
// hierarchy without controllers.
constexpr char kTaskTree[] = "/sys/fs/cgroup/systemd";

class TaskTree {
 public:
  TaskTree() : root_(kTaskTree + std::string("/hull-rdt-") + std::to_string(getpid())) {
    fs::create_directory(root_);
    child_ = fork();
    if (child_ == 0) {
      pause();
      _exit(0);
    }
  }
  ~TaskTree() {
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    for (const char* dir : {"/gold/mon_groups/c1", "/gold/mon_groups", "/gold", "/c1", ""})
      rmdir((root_ + dir).c_str());
  }
  TaskTree(const TaskTree&) = delete;
  TaskTree& operator=(const TaskTree&) = delete;

  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] pid_t child() const { return child_; }
  // The process is in there, and nobody else.
  [[nodiscard]] bool holds_child(const std::string& dir) const {
    return read_file_if_exists(root_ + dir + "/tasks") == std::to_string(child_) + "\n";
  }

 private:
  std::string root_;
  pid_t child_;
};

}  // namespace

TEST_CASE("A container without closID gets a class with its ID, schemata last", "[resctrl][L87]") {
  const FakeTree tree;
  IntelRdt config;
  config.schemata = {"L3:0=1", "L2:0=3"};
  config.mem_bw_schema = "MB:0=20";
  config.l3_cache_schema = "L3:0=f";
  tree.enter_as(config);
  CHECK(tree.get("c1/schemata") == "L3:0=f\nMB:0=20\nL3:0=1\nL2:0=3\n");
  CHECK(tree.get("c1/tasks") == "77");
}

TEST_CASE("memBwSchema replaces the MB line of l3CacheSchema", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config;
  config.l3_cache_schema = "MB:0=50\nL3:0=f\n";
  config.mem_bw_schema = "MB:0=20";
  tree.enter_as(config);
  CHECK(tree.get("c1/schemata") == "L3:0=f\nMB:0=20\n");
  config.mem_bw_schema.clear();
  write_schemata(tree.root() + "/c1", config);
  CHECK(tree.get("c1/schemata") == "MB:0=50\nL3:0=f\n");
}

TEST_CASE("Without any schema no schemata file is written", "[resctrl]") {
  const FakeTree tree;
  tree.enter_as({});
  CHECK(tree.has("c1/tasks"));
  CHECK_FALSE(tree.has("c1/schemata"));
}

TEST_CASE("A class that exists is joined, and never changed", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config = of_class("gold");
  SECTION("without schemata") {}
  SECTION("with the schemata that it has") {
    config.l3_cache_schema = "L3:0=ff;1=f";
    config.schemata = {"MB: 0 = 100"};
  }
  tree.enter_as(config);
  CHECK(tree.get("gold/tasks") == "77");
  CHECK(tree.get("gold/schemata") == "    MB:0=100\n    L3:0=00ff;1=0f\n");
}

TEST_CASE("A class that exists with other schemata is an error", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config = of_class("gold");
  for (const char* line : {"L3:0=1", "L3:2=1", "L2:0=1"}) {
    config.schemata = {line};
    INFO(line);
    const std::string error = tree.error_of(config);
    CHECK(error.find("exists with other schemata") != std::string::npos);
    CHECK(error.find("/linux/intelRdt/closID") != std::string::npos);
  }
  CHECK_FALSE(tree.has("gold/tasks"));
}

TEST_CASE("A class that does not exist is made from its schemata; without it is an error",
          "[resctrl]") {
  const FakeTree tree;
  IntelRdt config = of_class("silver");
  CHECK(tree.error_of(config).find("there is no class of service") != std::string::npos);
  CHECK_FALSE(tree.has("silver"));
  config.mem_bw_schema = "MB:0=10";
  tree.enter_as(config);
  CHECK(tree.get("silver/schemata") == "MB:0=10\n");
  CHECK(tree.get("silver/tasks") == "77");
}

TEST_CASE("closID / is the class of the whole machine", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config = of_class("/");
  config.enable_monitoring = true;
  tree.enter_as(config);
  CHECK(tree.get("tasks") == "77");
  CHECK(tree.get("mon_groups/c1/tasks") == "77");
}

TEST_CASE("A monitoring group is the container's own", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config = of_class("gold");
  config.enable_monitoring = true;
  tree.enter_as(config);
  CHECK(tree.get("gold/mon_groups/c1/tasks") == "77");
  join(tree.root() + "/gold", config, "c1", 78);
  CHECK(tree.get("gold/tasks") == "78");
  CHECK(tree.get("gold/mon_groups/c1/tasks") == "78");
  // One that is there belongs to somebody else.
  CHECK(tree.error_of(config).find("file exists") != std::string::npos);
}

TEST_CASE("What the machine does not have is an error that says so", "[resctrl]") {
  const FakeTree tree;
  IntelRdt config;
  config.mem_bw_schema = "MB:0=10";
  rmdir((tree.root() + "/info/MB").c_str());
  CHECK(tree.error_of(config).find("Intel RDT/MBA is not enabled") != std::string::npos);
  config = {};
  config.l3_cache_schema = "L3:0=f";
  rmdir((tree.root() + "/info/L3").c_str());
  CHECK(tree.error_of(config).find("Intel RDT/CAT is not enabled") != std::string::npos);
  tree.make("info/L3CODE");
  CHECK(tree.error_of(config) == "ok");
}

TEST_CASE("An error repeats the kernel's own words", "[resctrl]") {
  const FakeTree tree;
  tree.put("info/last_cmd_status", "Mask out of range\n");
  const std::string error = tree.error_of(of_class("nosuch"));
  CHECK(error.find("last_cmd_status: Mask out of range") != std::string::npos);
}

TEST_CASE("The container's own class is removed with it", "[resctrl]") {
  if (!fs::exists(kTaskTree + std::string("/tasks"))) HULL_SKIP("no v1 hierarchy to play with");
  const TaskTree tree;
  enter(tree.root() + "/c1", {}, "c1", tree.child());
  CHECK(tree.holds_child("/c1"));
  write_existing(std::string(kTaskTree) + "/tasks", std::to_string(tree.child()));
  resctrl::remove(tree.root() + "/c1", {}, "c1");
  CHECK_FALSE(fs::exists(tree.root() + "/c1"));
  resctrl::remove(tree.root() + "/c1", {}, "c1");  // twice is no error
}

TEST_CASE("Of a class with a name only the container's monitoring group is removed", "[resctrl]") {
  if (!fs::exists(kTaskTree + std::string("/tasks"))) HULL_SKIP("no v1 hierarchy to play with");
  const TaskTree tree;
  IntelRdt config = of_class("gold");
  config.enable_monitoring = true;
  fs::create_directories(tree.root() + "/gold/mon_groups");
  enter(tree.root() + "/gold", config, "c1", tree.child());
  CHECK(tree.holds_child("/gold/mon_groups/c1"));
  write_existing(std::string(kTaskTree) + "/tasks", std::to_string(tree.child()));
  resctrl::remove(tree.root() + "/gold", config, "c1");
  CHECK_FALSE(fs::exists(tree.root() + "/gold/mon_groups/c1"));
  CHECK(fs::exists(tree.root() + "/gold"));
}

TEST_CASE("Nothing that was made is left when a later step fails", "[resctrl]") {
  if (!fs::exists(kTaskTree + std::string("/tasks"))) HULL_SKIP("no v1 hierarchy to play with");
  const TaskTree tree;
  // No such process.
  CHECK_THROWS_AS(enter(tree.root() + "/c1", {}, "c1", 0x7ffffff), Error);
  CHECK_FALSE(fs::exists(tree.root() + "/c1"));
  IntelRdt config;
  config.enable_monitoring = true;  // but a cgroup has no mon_groups
  CHECK_THROWS_AS(enter(tree.root() + "/c1", config, "c1", 0x7ffffff), Error);
  CHECK_FALSE(fs::exists(tree.root() + "/c1"));
}

}  // namespace hull::resctrl

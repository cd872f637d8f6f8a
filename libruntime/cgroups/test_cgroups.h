#pragma once

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "libruntime/cgroups/layout.h"
#include "libruntime/cgroups/manager.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

// What the tests of this room share: processes in cgroups, and directories that look like cgroups.
namespace hull::cgroups::test {

// A child that enters by `entrance` and then sleeps (or forks sleepers too). Killed and reaped at
// the end.
class Child {
 public:
  explicit Child(const Entrance& entrance, int grandchildren = 0) {
    clone_args args{};
    args.exit_signal = SIGCHLD;
    if (entrance.unified) {
      args.flags = CLONE_INTO_CGROUP;
      args.cgroup = static_cast<uint64_t>(entrance.unified.get());
    }
    int ready[2];
    if (pipe(ready) != 0) std::abort();
    pid_ = sys::clone3(&args);
    if (pid_ == 0) {
      ::signal(SIGTERM, SIG_DFL);  // the test framework's handler
      std::vector<std::string> files = entrance.task_files;
      if (!entrance.memory_task_file.empty()) files.push_back(entrance.memory_task_file);
      for (const std::string& path : files) {
        const int tasks = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (tasks < 0 || write(tasks, "0", 1) != 1) _exit(1);
      }
      for (int i = 0; i < grandchildren; ++i)
        if (fork() == 0) sleep_forever();
      if (write(ready[1], "x", 1) != 1) _exit(1);
      sleep_forever();
    }
    close(ready[1]);
    char byte = 0;
    entered_ = pid_ > 0 && read(ready[0], &byte, 1) == 1;
    close(ready[0]);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool entered() const { return entered_; }
  // Waits for its end and gives the signal that killed it; 0 when it ended otherwise.
  int killed_by() {
    int status = 0;
    waitpid(std::exchange(pid_, 0), &status, 0);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  }

 private:
  [[noreturn]] static void sleep_forever() {
    for (;;) pause();
  }
  pid_t pid_ = 0;
  bool entered_ = false;
};

inline std::string unique_name() {
  static int count = 0;
  return "hull-test-" + std::to_string(getpid()) + "-" + std::to_string(++count);
}

inline bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// A container's cgroup on this host, destroyed at the end whatever happens.
struct Container {
  explicit Container(std::string path = "/" + unique_name())
      : config(with_path(std::move(path))), layout(read_layout()) {
    manager = make_manager(config, layout);
  }
  ~Container() {
    try {
      manager->kill(SIGKILL);
      manager->destroy();
    } catch (const Error& e) {
      std::fprintf(stderr, "left behind: %s\n", e.what());
    }
  }
  static configs::Cgroup with_path(std::string path) {
    configs::Cgroup out;
    out.path = std::move(path);
    return out;
  }
  [[nodiscard]] bool any_directory() const {
    for (const auto& [key, path] : manager->paths())
      if (exists(path)) return true;
    return false;
  }
  [[nodiscard]] std::string path(const std::string& key) const { return manager->paths().at(key); }

  configs::Cgroup config;
  Layout layout;
  std::unique_ptr<Manager> manager;
};

// All devices allowed: a child of the test needs no rules.
inline configs::Resources no_limits() {
  configs::Resources out;
  out.devices = {{'a', -1, -1, "rwm", true}};
  return out;
}

inline bool has_v1() {
  return geteuid() == 0 && find_hierarchy(read_layout(), "devices") != nullptr &&
         find_hierarchy(read_layout(), "freezer") != nullptr;
}

// A temporary directory whose files stand for those of a cgroup.
class FakeTree {
 public:
  FakeTree() {
    std::string name = "/tmp/hull-cgroup-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) std::abort();
    root_ = name;
  }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;
  ~FakeTree() {
    for (auto made = made_.rbegin(); made != made_.rend(); ++made) remove(made->c_str());
    remove(root_.c_str());
  }

  [[nodiscard]] const std::string& root() const { return root_; }
  std::string directory(const std::string& name) {
    const std::string path = root_ + "/" + name;
    if (mkdir(path.c_str(), 0755) == 0) made_.push_back(path);
    return path;
  }
  void file(const std::string& name, const std::string& content = "") {
    const std::string path = root_ + "/" + name;
    made_.push_back(path);
    std::ofstream(path) << content;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    return read_file(root_ + "/" + name);
  }

 private:
  std::string root_;
  std::vector<std::string> made_;
};

// The field that the Error of `action` names; "no error" without one.
template <class Action>
std::string field_of(Action action) {
  try {
    action();
  } catch (const Error& e) {
    return e.field();
  }
  return "no error";
}

}  // namespace hull::cgroups::test

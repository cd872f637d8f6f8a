#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "libruntime/system/fd.h"

namespace hull::conformance {

struct CommandOptions {
  std::string input = {};  // its stdin; empty: /dev/null
  std::chrono::milliseconds timeout{20'000};
  std::vector<std::string> env = {};          // "NAME=value", on top of ours
  std::string dir = {};                       // working directory; empty: ours
  std::vector<std::pair<int, int>> fds = {};  // {ours, its number there}, beside 0, 1 and 2
  int terminal = -1;  // a pty's slave: becomes stdin, stdout, stderr and the controlling terminal
};

// What became of a command.
struct Outcome {
  int exit_code = -1;  // 128 + N when signal N ended it; -1: timed out and was killed
  std::string out;
  std::string err;
};

// A program that runs beside the test. Its output goes to files in memory, so that a container that
// outlives the command neither blocks nor dies of SIGPIPE. Killed and waited for at the end of its
// life.
class Process {
 public:
  // argv[0] is searched for in PATH. Throws hull::Error.
  explicit Process(const std::vector<std::string>& argv, const CommandOptions& options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits for the end; once.
  Outcome wait();
  void signal(int number) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  // What was written until now, also by children that live on.
  [[nodiscard]] std::string out() const;
  [[nodiscard]] std::string err() const;

 private:
  int take();
  pid_t pid_ = -1;
  bool done_ = false;
  std::chrono::milliseconds timeout_;
  Fd pidfd_, out_, err_;
};

// Orphans of containers come to the test program, once it is a subreaper. It takes them while it
// waits for a command, as an init does: a zombie in a container's pid namespace would keep the
// container's init from ending. As long as one of these lives, they stay zombies.
class KeepZombies {
 public:
  KeepZombies();
  ~KeepZombies();
  KeepZombies(const KeepZombies&) = delete;
  KeepZombies& operator=(const KeepZombies&) = delete;
};
void reap_orphans();

// Runs a program to its end.
Outcome run_command(const std::vector<std::string>& argv, const CommandOptions& options = {});

}  // namespace hull::conformance

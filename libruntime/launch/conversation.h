#pragma once

#include <string>
#include <string_view>

#include "libruntime/configs/config.h"
#include "libruntime/launch/options.h"
#include "libruntime/launch/spawn.h"
#include "libruntime/plan/plan.h"

namespace hull::launch {

// The launcher's side of the channel, from the Plan to the program's start.
class Conversation {
 public:
  Conversation(Child& child, const configs::Config& config, const plan::Plan& plan,
               const std::string& id, pid_t init_pid, const LaunchOptions& options,
               Started& started)
      : child_(child),
        config_(config),
        plan_(plan),
        id_(id),
        init_pid_(init_pid),
        options_(options),
        started_(started) {}

  // Answers what hull-init asks (mount sources, hooks, console, seccomp listener) until it says
  // `created`. Throws what init reports, or why it died; with runc's words in front, for those who
  // look for them.
  void until_created();
  // Lets it go on: to exec.fifo, or with start_now to execve.
  void proceed();
  // Returns when execve has succeeded: the channel closes without a word. Throws what init reports.
  void until_executed();

 private:
  void answer(plan::Message& message);
  void give_mount_source(const plan::Message& message);
  void run_runtime_hooks();
  void set_priority() const;
  void take_console(plan::Message& message);
  void take_listener(const plan::Message& message);
  void follow(const plan::Message& message);
  static void expect(bool planned);
  [[noreturn]] void died();
  [[nodiscard]] std::string_view stage() const;

  Child& child_;
  const configs::Config& config_;
  const plan::Plan& plan_;
  const std::string& id_;
  pid_t init_pid_;  // the container's: the child's own, or with exec another
  const LaunchOptions& options_;
  Started& started_;
  bool followed_ = false;
};

// Why hull-init, whose channel has closed, died without a word. Waits for its end.
Error death_of(const Child& child, plan::Kind kind, const configs::Resources& resources);

// Whether hull-init, whose last close-on-exec descriptor has closed, died instead of executing the
// program. Once it is reaped only a kill can be told from a program that has ended, and before
// Linux 6.15 not even that: then the answer is no, and who reaped it knows how it ended.
bool died_before_execve(pid_t pid, const Fd& pidfd);

}  // namespace hull::launch

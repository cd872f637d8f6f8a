#include "conformance/faults/tracer.h"

#include <fcntl.h>
#include <linux/ptrace.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <optional>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

#ifndef __x86_64__
#error "the tracer knows the registers of x86-64 only"
#endif

namespace hull::conformance {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// After the command's end its container's init may still be on its way to exec.fifo.
constexpr milliseconds kQuiet{30};

constexpr unsigned long kTraceOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK |
                                        PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                                        PTRACE_O_TRACEEXEC;

// ptrace(2) of the C library takes an enumeration in place of the request.
long ask(long request, pid_t pid, unsigned long address = 0, unsigned long data = 0) {
  return syscall(SYS_ptrace, request, pid, address, data);
}

Fd memory_file(const char* name) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) throw Error("making a file in memory", "memfd_create", errno);
  return fd;
}

std::string content_of(const Fd& file) {
  lseek(file.get(), 0, SEEK_SET);
  return read_all(file.get(), "output", size_t{1} << 24);
}

pid_t process_of(pid_t thread) {
  const auto status = read_value_if_exists("/proc/" + std::to_string(thread) + "/status");
  if (!status) return thread;
  const size_t at = status->find("\nTgid:\t");
  if (at == std::string::npos) return thread;
  const std::string_view rest = std::string_view(*status).substr(at + 7);
  return parse_number<pid_t>(rest.substr(0, rest.find('\n'))).value_or(thread);
}

bool executes_busybox(pid_t pid) {
  char path[4096];
  const ssize_t length =
      readlink(("/proc/" + std::to_string(pid) + "/exe").c_str(), path, sizeof path);
  return length > 0 && std::string_view(path, static_cast<size_t>(length)).ends_with("/busybox");
}

class Tracer {
 public:
  Tracer(const Fault* fault, const TraceOptions& options)
      : fault_(fault), options_(options), out_(memory_file("stdout")), err_(memory_file("stderr")) {
    // Its arrival wakes sigtimedwait.
    sigemptyset(&child_signal_);
    sigaddset(&child_signal_, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_signal_, &old_mask_);
  }
  ~Tracer() { sigprocmask(SIG_SETMASK, &old_mask_, nullptr); }
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  Traced run(const std::vector<std::string>& argv) {
    start(argv);
    started_ = Clock::now();
    while (!ended_ && Clock::now() < started_ + options_.limit) {
      while (serve_one()) continue;
      if (!ended_) sleep_until(started_ + options_.limit);
    }
    result_.timed_out = !ended_;
    if (!ended_) end_all();
    if (fault_ != nullptr && !result_.hit) linger();
    if (fault_ == nullptr) linger();
    detach_all();
    result_.out = content_of(out_);
    result_.err = content_of(err_);
    return std::move(result_);
  }

 private:
  struct Thread {
    size_t process = 0;
    bool stopped_before = false;
    std::optional<int> error;  // to be the result of the call it is in
  };

  void start(const std::vector<std::string>& argv) {
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0) throw Error("making a pipe", "pipe2", errno);
    const Fd gate_read(gate[0]);
    Fd gate_write(gate[1]);
    const Fd input = open_or_throw(AT_FDCWD, "/dev/null", O_RDONLY);
    command_ = fork();
    if (command_ < 0) throw Error("starting " + argv[0], "fork", errno);
    if (command_ == 0) {
      char go = 0;
      sigprocmask(SIG_SETMASK, &old_mask_, nullptr);
      close(gate[1]);
      if (read(gate[0], &go, 1) != 1 || dup2(input.get(), 0) < 0 || dup2(out_.get(), 1) < 0 ||
          dup2(err_.get(), 2) < 0)
        _exit(126);
      execvp(argv[0].c_str(), c_strings(argv).data());
      _exit(127);
    }
    seize(command_);
    if (options_.attach > 0) {
      seize(options_.attach);
      // Its waiting call is made anew, so that it is seen.
      ask(PTRACE_INTERRUPT, options_.attach);
    }
    if (write(gate_write.get(), "g", 1) != 1) throw Error("starting " + argv[0], "write", errno);
  }

  void seize(pid_t pid) {
    if (ask(PTRACE_SEIZE, pid, 0, kTraceOptions) != 0)
      throw Error("tracing process " + std::to_string(pid), "ptrace", errno);
    thread_of(pid);
  }

  Thread& thread_of(pid_t thread) {
    const auto found = threads_.find(thread);
    if (found != threads_.end()) return found->second;
    const auto process = processes_.try_emplace(process_of(thread), processes_.size()).first;
    return threads_.emplace(thread, Thread{process->second, false, {}}).first->second;
  }

  // False when nobody has anything to tell at the moment.
  bool serve_one() {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
    if (pid <= 0) return false;
    if (!WIFSTOPPED(status)) {
      threads_.erase(pid);
      if (pid == command_) {
        ended_ = true;
        result_.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        result_.time = since(result_.hit ? hit_at_ : started_);
      }
      return true;
    }
    Thread& thread = thread_of(pid);
    const int signal = WSTOPSIG(status);
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC && executes_busybox(pid)) {
      threads_.erase(pid);
      ask(PTRACE_DETACH, pid);
      return true;
    }
    // Known from its birth on: or it would stay stopped when the trace ends just now.
    if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK || event == PTRACE_EVENT_CLONE) {
      unsigned long born = 0;
      if (ask(PTRACE_GETEVENTMSG, pid, 0, reinterpret_cast<uintptr_t>(&born)) == 0)
        thread_of(static_cast<pid_t>(born));
    }
    if (signal == (SIGTRAP | 0x80)) {
      at_call(pid, thread);
      ask(PTRACE_SYSCALL, pid);
    } else if (event == PTRACE_EVENT_STOP && signal != SIGTRAP && thread.stopped_before) {
      ask(PTRACE_LISTEN, pid);  // a job control stop
    } else {
      thread.stopped_before = true;
      ask(PTRACE_SYSCALL, pid, 0, event == 0 ? static_cast<unsigned long>(signal) : 0);
    }
    return true;
  }

  void at_call(pid_t pid, Thread& thread) {
    ptrace_syscall_info info{};
    if (ask(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, reinterpret_cast<uintptr_t>(&info)) <= 0)
      return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      enter(pid, thread, static_cast<long>(info.entry.nr));
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT && thread.error) {
      set_register(pid, offsetof(user_regs_struct, rax), -*thread.error);
      thread.error.reset();
    }
  }

  void enter(pid_t pid, Thread& thread, long number) {
    const unsigned nth = ++counts_[{thread.process, number}];
    const Call call{thread.process, number, nth};
    result_.calls.push_back(call);
    if (fault_ == nullptr || result_.hit || !(call == fault_->at)) return;
    result_.hit = true;
    result_.hit_after_end = ended_;
    hit_at_ = Clock::now();
    if (fault_->error == 0) {
      kill(process_of(pid), SIGKILL);
      return;
    }
    thread.error = fault_->error;
    // Linux closes the descriptor in any case, whatever close(2) returns.
    if (number != SYS_close) set_register(pid, offsetof(user_regs_struct, orig_rax), -1);
  }

  static void set_register(pid_t pid, size_t offset, long value) {
    if (ask(PTRACE_POKEUSR, pid, offset, static_cast<unsigned long>(value)) != 0 && errno != ESRCH)
      throw Error("changing a register", "ptrace", errno);
  }

  void sleep_until(Clock::time_point end) const {
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(end - Clock::now());
    if (left.count() <= 0) return;
    const timespec time{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    sigtimedwait(&child_signal_, nullptr, &time);
  }

  // Until nothing has happened for a while.
  void linger() {
    for (Clock::time_point last = Clock::now();
         Clock::now() < last + kQuiet && !threads_.empty();) {
      if (serve_one()) {
        last = Clock::now();
      } else {
        sleep_until(last + kQuiet);
      }
    }
  }

  void end_all() {
    for (const auto& [pid, thread] : threads_) kill(pid, SIGKILL);
    while (!ended_) {
      serve_one();
      sleep_until(Clock::now() + milliseconds(10));
    }
  }

  void detach_all() {
    for (const auto& [pid, thread] : threads_) ask(PTRACE_INTERRUPT, pid);
    const auto end = Clock::now() + milliseconds(2000);
    while (!threads_.empty() && Clock::now() < end) {
      int status = 0;
      const pid_t pid = waitpid(-1, &status, WNOHANG | __WALL);
      if (pid <= 0) {
        sleep_until(Clock::now() + milliseconds(10));
        continue;
      }
      if (WIFSTOPPED(status)) {
        const bool real = status >> 16 == 0 && WSTOPSIG(status) != (SIGTRAP | 0x80);
        ask(PTRACE_DETACH, pid, 0, real ? static_cast<unsigned long>(WSTOPSIG(status)) : 0);
      }
      threads_.erase(pid);
    }
  }

  static milliseconds since(Clock::time_point start) {
    return std::chrono::duration_cast<milliseconds>(Clock::now() - start);
  }

  const Fault* fault_;
  const TraceOptions& options_;
  Fd out_, err_;
  sigset_t child_signal_{}, old_mask_{};
  pid_t command_ = -1;
  bool ended_ = false;
  Clock::time_point started_, hit_at_;
  std::map<pid_t, Thread> threads_;
  std::map<pid_t, size_t> processes_;
  std::map<std::pair<size_t, long>, unsigned> counts_;
  Traced result_;
};

}  // namespace

Traced trace(const std::vector<std::string>& argv, const Fault* fault,
             const TraceOptions& options) {
  return Tracer(fault, options).run(argv);
}

std::string call_name(long number) {
  char* name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, static_cast<int>(number));
  if (name == nullptr) return "call " + std::to_string(number);
  std::string out = name;
  std::free(name);
  return out;
}

}  // namespace hull::conformance

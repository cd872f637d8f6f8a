// hull-faults: what a runtime does when a system call fails or a kill lands.
//
// Each system call that create, start, run, exec, delete and state make, in the runtime and in the
// container's init, fails once with each of six errors, and is the last once. Whatever happens, the
// runtime must either succeed with a right result or say what failed; nobody may hang; and after
// `delete --force` nothing may be left.
#include <fcntl.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "conformance/container/host.h"
#include "conformance/faults/scene.h"
#include "conformance/faults/tracer.h"
#include "conformance/suite/workers.h"
#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

constexpr char kUsage[] =
    "usage: hull-faults [options] RUNTIME\n"
    "  --sample N         every Nth injection only\n"
    "  --jobs N           workers (default 2)\n"
    "  --operation NAME   create, start, run, exec, delete, \"delete --force\" or state\n"
    "  --user-namespace   only the containers with one (--no-user-namespace: only those without)\n"
    "  --kills, --errors  only these\n"
    "  --stages           kills only, at each call by which something is made, given up or taken "
    "down\n"
    "  --only PROCESS,CALL,NTH[,ERROR]   a single injection: 1,openat,3,EIO\n"
    "  --pure-v1          without the cgroup v2 hierarchy of a hybrid host\n"
    "  --verbose          tells of each injection\n"
    "exit status 1 when anything was found\n";

constexpr std::pair<int, const char*> kErrors[] = {{EINTR, "EINTR"},   {ENOMEM, "ENOMEM"},
                                                   {EIO, "EIO"},       {ENOSPC, "ENOSPC"},
                                                   {EMFILE, "EMFILE"}, {EPERM, "EPERM"}};

// Calls that have no error to return: brk gives the old break.
constexpr long kInfallible[] = {
    SYS_exit,    SYS_exit_group, SYS_rt_sigreturn,   SYS_restart_syscall, SYS_getpid,  SYS_getppid,
    SYS_gettid,  SYS_getuid,     SYS_geteuid,        SYS_getgid,          SYS_getegid, SYS_umask,
    SYS_getpgrp, SYS_brk,        SYS_set_tid_address};

// What a Go program's own runtime does all the time, at no fixed places.
constexpr long kScheduling[] = {
    SYS_futex,          SYS_sched_yield,  SYS_nanosleep,   SYS_epoll_pwait, SYS_tgkill,
    SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_sigaltstack, SYS_madvise,     SYS_clock_nanosleep,
    SYS_mmap,           SYS_munmap,       SYS_epoll_ctl,   SYS_write};

// The calls between which an operation's stages lie.
constexpr long kStages[] = {SYS_mkdir,      SYS_mkdirat,   SYS_clone3,    SYS_clone,
                            SYS_rename,     SYS_renameat,  SYS_renameat2, SYS_linkat,
                            SYS_sendmsg,    SYS_setns,     SYS_unshare,   SYS_pivot_root,
                            SYS_setresuid,  SYS_execve,    SYS_execveat,  SYS_mknodat,
                            SYS_unlinkat,   SYS_rmdir,     SYS_unlink,    SYS_pidfd_send_signal,
                            SYS_exit_group, SYS_move_mount};

constexpr std::chrono::milliseconds kInTime{2000};
constexpr int kTries = 3;  // before a hang is believed: the machine may be busy

const char* error_name(int error) {
  for (const auto& [number, name] : kErrors)
    if (number == error) return name;
  return "SIGKILL";
}

struct Options {
  std::string runtime;
  size_t sample = 1;
  size_t jobs = 2;
  std::optional<Operation> operation;
  std::optional<bool> user_namespace;
  bool kills = true;
  bool errors = true;
  bool stages = false;
  bool pure_v1 = false;
  std::optional<Fault> only;
  bool verbose = false;
  bool is_hull = true;
};

enum Kind : size_t { tried, lies, hangs, leaks, silent, kinds };
constexpr const char* kKinds[] = {"injections", "lies", "hangs", "leaks", "silent"};
// [0] errors, [1] kills
using Totals = std::array<std::array<size_t, kinds>, 2>;

struct Finding {
  Kind kind;
  std::string what;
};

class Worker {
 public:
  Worker(const Options& options, size_t number) : options_(options), number_(number) {}

  Totals run() {
    for (const bool user_namespace : {false, true}) {
      if (options_.user_namespace.value_or(user_namespace) != user_namespace) continue;
      variant_ = user_namespace ? "user namespace" : "plain";
      Scene scene(options_.runtime, user_namespace);
      const Operation needed_first[] = {Operation::run, Operation::exec};
      for (const Operation one : needed_first) learn(scene, one);
      (void)scene.clear_away();
      for (const OperationName& one : kOperations)
        if (options_.operation.value_or(one.operation) == one.operation) walk(scene, one.operation);
    }
    return totals_;
  }

 private:
  // Twice: what differs from one time to the next would be taken for a lie.
  std::vector<Call> learn(Scene& scene, Operation operation) {
    std::vector<Call> calls;
    for (const bool again : {false, true}) {
      scene.prepare(operation);
      TraceOptions trace_options;
      trace_options.attach = scene.other_side(operation);
      Traced traced = trace(scene.argv(operation), nullptr, trace_options);
      const std::string name(name_of(operation));
      if (traced.exit_code != Scene::success(operation))
        throw Error(name + " fails without a fault: " + std::to_string(traced.exit_code) + " " +
                    traced.err);
      if (!again) scene.learn(operation, traced);
      if (const std::string lie = scene.lie(operation, traced); !lie.empty())
        throw Error(name + " differs from time to time: " + lie);
      if (!again) calls = std::move(traced.calls);
      if (!scene.reusable(operation))
        if (const std::string left = scene.clear_away(); !left.empty())
          throw Error(name + " without a fault leaves " + left);
    }
    return calls;
  }

  [[nodiscard]] std::vector<Fault> faults_of(std::vector<Call> calls) const {
    std::vector<Fault> faults;
    for (const Call& call : calls) {
      if (!options_.stages && std::ranges::count(kInfallible, call.number) > 0) continue;
      if (!options_.is_hull && std::ranges::count(kScheduling, call.number) > 0) continue;
      if (call == Call{0, SYS_execve, 1}) continue;  // the tracer's own
      if (options_.stages && std::ranges::count(kStages, call.number) == 0) continue;
      if (options_.kills) faults.push_back({call, 0});
      if (!options_.errors) continue;
      for (const auto& [error, name] : kErrors) faults.push_back({call, error});
    }
    return faults;
  }

  void walk(Scene& scene, Operation operation) {
    const std::vector<Call> calls = learn(scene, operation);
    unheard_ = after_last_word(calls);
    const std::vector<Fault> faults =
        options_.only ? std::vector<Fault>{*options_.only} : faults_of(calls);
    const size_t step = options_.sample * options_.jobs;
    // Different workers and rounds of seven (six errors and a kill) must not keep in step.
    for (size_t i = number_ * options_.sample; i < faults.size(); i += step) {
      const Fault& fault = faults[(i + i / step % options_.sample) % faults.size()];
      examine(scene, operation, fault);
    }
    if (const std::string left = scene.clear_away(); !left.empty())
      tell(operation, nullptr, {leaks, left});
  }

  // The other side's calls after the last by which it can have told the runtime anything.
  static std::vector<Call> after_last_word(const std::vector<Call>& calls) {
    std::vector<Call> out;
    for (const Call& call : calls) {
      if (call.process != 1) continue;
      out.push_back(call);
      if (call.number == SYS_sendmsg || call.number == SYS_sendto || call.number == SYS_write)
        out.clear();
    }
    return out;
  }

  void examine(Scene& scene, Operation operation, const Fault& fault) {
    std::vector<Finding> findings;
    for (int i = 0; i < kTries; ++i) {
      findings = inject(scene, operation, fault);
      const bool slow =
          std::ranges::any_of(findings, [](const Finding& f) { return f.kind == hangs; });
      if (!slow) break;
    }
    for (const Finding& finding : findings) tell(operation, &fault, finding);
  }

  std::vector<Finding> inject(Scene& scene, Operation operation, const Fault& fault) {
    std::vector<Finding> findings;
    try {
      scene.prepare(operation);
    } catch (const Error& e) {
      findings.push_back({leaks, std::string("before: ") + e.what()});
      (void)scene.clear_away();
      return findings;
    }
    TraceOptions trace_options;
    trace_options.attach = scene.other_side(operation);
    const Traced traced = trace(scene.argv(operation), &fault, trace_options);
    if (options_.verbose)
      std::printf("%s: %s%d in %ld ms: %s\n", title(operation, &fault).c_str(),
                  traced.hit ? "" : "not reached, ", traced.exit_code,
                  static_cast<long>(traced.time.count()), traced.err.c_str());
    if (traced.hit) {
      ++totals_[fault.error == 0 ? 1 : 0][tried];
      judge(scene, operation, fault, traced, findings);
    }
    if (scene.reusable(operation) && findings.empty() && scene.settled()) return findings;
    if (const std::string left = scene.clear_away(); !left.empty())
      findings.push_back({leaks, left});
    if (traced.hit && (operation == Operation::create || operation == Operation::run))
      if (const std::string bad = scene.use_again(); !bad.empty()) findings.push_back({leaks, bad});
    return findings;
  }

  void judge(Scene& scene, Operation operation, const Fault& fault, const Traced& traced,
             std::vector<Finding>& findings) {
    const bool killed_itself = fault.error == 0 && fault.at.process == 0;
    if (traced.timed_out || traced.time > kInTime)
      findings.push_back({hangs, "takes " + std::to_string(traced.time.count()) + " ms"});
    if (traced.timed_out) return;
    if (killed_itself) {
      if (!eventually([&] { return scene.settled(); }, kInTime))
        findings.push_back({hangs, "the other side lives on"});
      return;
    }
    if (traced.exit_code == Scene::success(operation)) {
      const std::string lie = lie_of(scene, operation, fault, traced);
      if (!lie.empty()) findings.push_back({lies, lie});
      return;
    }
    const int signal = traced.exit_code - 128;
    if (signal == SIGABRT || signal == SIGSEGV || signal == SIGBUS || signal == SIGILL)
      findings.push_back({silent, "crashes: signal " + std::to_string(signal)});
    else if (traced.err.empty())
      findings.push_back({silent, "exit status " + std::to_string(traced.exit_code)});
  }

  std::string lie_of(Scene& scene, Operation operation, const Fault& fault, const Traced& traced) {
    std::string lie;
    try {
      lie = scene.lie(operation, traced);
    } catch (const Error& e) {
      lie = e.what();
    }
    // What befalls the other side after its last word nobody can know; but it must show later.
    const bool unheard =
        operation == Operation::create && std::ranges::count(unheard_, fault.at) > 0;
    return !lie.empty() && unheard ? scene.hidden_death() : lie;
  }

  [[nodiscard]] std::string title(Operation operation, const Fault* fault) const {
    std::string out = variant_ + ", " + std::string(name_of(operation));
    if (fault == nullptr) return out + ", in the end";
    return out + ", --only " + std::to_string(fault->at.process) + "," +
           call_name(fault->at.number) + "," + std::to_string(fault->at.nth) + "," +
           error_name(fault->error);
  }

  void tell(Operation operation, const Fault* fault, const Finding& finding) {
    ++totals_[fault != nullptr && fault->error == 0 ? 1 : 0][finding.kind];
    std::printf("%s: %s: %s\n", kKinds[finding.kind], title(operation, fault).c_str(),
                finding.what.c_str());
    std::fflush(stdout);
  }

  const Options& options_;
  size_t number_;
  std::string variant_;
  std::vector<Call> unheard_;
  Totals totals_{};
};

// PROCESS,CALL,NTH[,ERROR]
std::optional<Fault> parse_fault(std::string_view text) {
  const auto words = split(text, ',');
  if (words.size() < 3) return std::nullopt;
  const auto process = parse_number<size_t>(words[0]);
  const auto nth = parse_number<unsigned>(words[2]);
  const int number = seccomp_syscall_resolve_name(std::string(words[1]).c_str());
  if (!process || !nth || number < 0) return std::nullopt;
  Fault out{{*process, number, *nth}, 0};
  if (words.size() > 3)
    for (const auto& [error, name] : kErrors)
      if (words[3] == name) out.error = error;
  return out;
}

std::optional<Options> parse_options(const std::vector<std::string>& words) {
  Options out;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    const bool last = i + 1 == words.size();
    if (word == "--kills") {
      out.errors = false;
    } else if (word == "--errors") {
      out.kills = false;
    } else if (word == "--stages") {
      out.stages = true;
      out.errors = false;
    } else if (word == "--pure-v1") {
      out.pure_v1 = true;
    } else if (word == "--verbose") {
      out.verbose = true;
    } else if (word == "--user-namespace" || word == "--no-user-namespace") {
      out.user_namespace = word == "--user-namespace";
    } else if (!word.starts_with("--")) {
      out.runtime = word;
    } else if (last) {
      return std::nullopt;
    } else if (word == "--sample" || word == "--jobs") {
      const auto number = parse_number<size_t>(words[++i]);
      if (!number || *number == 0) return std::nullopt;
      (word == "--sample" ? out.sample : out.jobs) = *number;
    } else if (word == "--only") {
      out.only = parse_fault(words[++i]);
      if (!out.only) return std::nullopt;
      out.jobs = 1;
    } else if (word == "--operation") {
      const auto found = std::ranges::find(kOperations, words[++i], &OperationName::name);
      if (found == std::end(kOperations)) return std::nullopt;
      out.operation = found->operation;
    } else {
      return std::nullopt;
    }
  }
  if (out.runtime.empty()) return std::nullopt;
  out.is_hull = run_command({out.runtime, "--version"}).out.starts_with("hull version");
  return out;
}

// Each worker is a process of its own, the subreaper of its containers. False when one failed.
bool run_workers(const Options& options, Totals& totals) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("making a pipe", "pipe2", errno);
  const Fd from(ends[0]);
  Fd to(ends[1]);
  std::vector<pid_t> workers;
  for (size_t i = 0; i < options.jobs; ++i) {
    const pid_t pid = fork();
    if (pid < 0) throw Error("starting a worker", "fork", errno);
    if (pid == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      try {
        if (options.pure_v1) enter_own_mounts(true);
        const Totals mine = Worker(options, i).run();
        std::exit(write(to.get(), &mine, sizeof mine) == sizeof mine ? 0 : 1);
      } catch (const std::exception& e) {
        std::fprintf(stderr, "hull-faults: %s\n", e.what());
        std::exit(1);
      }
    }
    workers.push_back(pid);
  }
  to.reset();
  Totals part{};
  while (read(from.get(), &part, sizeof part) == sizeof part)
    for (size_t row = 0; row < totals.size(); ++row)
      for (size_t kind = 0; kind < kinds; ++kind) totals[row][kind] += part[row][kind];
  bool good = true;
  for (const pid_t pid : workers) good = wait_for(pid) == 0 && good;
  return good;
}

int run(const std::vector<std::string>& words) {
  const auto options = parse_options(words);
  if (!options) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  Totals totals{};
  const bool good = run_workers(*options, totals);
  size_t found = 0;
  const char* rows[] = {"errors", "kills"};
  for (size_t row = 0; row < totals.size(); ++row) {
    std::printf("%-7s", rows[row]);
    for (size_t kind = 0; kind < kinds; ++kind) {
      std::printf(" %6zu %s", totals[row][kind], kKinds[kind]);
      if (kind != tried) found += totals[row][kind];
    }
    std::printf("\n");
  }
  return good && found == 0 && totals[0][tried] + totals[1][tried] > 0 ? 0 : 1;
}

}  // namespace
}  // namespace hull::conformance

int main(int argc, char** argv) {
  try {
    return hull::conformance::run({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hull-faults: %s\n", e.what());
    return 2;
  }
}

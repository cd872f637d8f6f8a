#include "conformance/container/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull::conformance {
namespace {

bool keep_zombies = false;

// The processes that a `Process` will wait for.
std::vector<pid_t>& own_children() {
  static std::vector<pid_t> pids;
  return pids;
}

Fd memory_file(const char* name) {
  Fd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd) throw Error("making a file in memory", "memfd_create", errno);
  return fd;
}

std::string content_of(const Fd& file) {
  std::string text;
  std::array<char, 65536> buffer{};
  for (off_t at = 0;;) {
    const ssize_t n = pread(file.get(), buffer.data(), buffer.size(), at);
    if (n < 0) throw Error("reading a command's output", "pread", errno);
    if (n == 0) return text;
    text.append(buffer.data(), static_cast<size_t>(n));
    at += n;
  }
}

// In the child. Every descriptor is first lifted out of the way of the numbers that are asked for.
void place_descriptors(const std::vector<std::pair<int, int>>& wanted) {
  constexpr int kAbove = 500;
  std::vector<int> lifted;
  for (const auto& [ours, theirs] : wanted) lifted.push_back(fcntl(ours, F_DUPFD_CLOEXEC, kAbove));
  for (size_t i = 0; i < wanted.size(); ++i)
    if (lifted[i] < 0 || dup2(lifted[i], wanted[i].second) < 0) _exit(126);
}

[[noreturn]] void become(const std::vector<std::string>& argv, const CommandOptions& options,
                         const std::vector<std::pair<int, int>>& fds) {
  if (options.terminal >= 0 && (setsid() < 0 || ioctl(options.terminal, TIOCSCTTY, 0) != 0))
    _exit(126);
  place_descriptors(fds);
  if (!options.dir.empty() && chdir(options.dir.c_str()) != 0) _exit(126);
  for (const std::string& variable : options.env) {
    const size_t equals = variable.find('=');
    setenv(variable.substr(0, equals).c_str(), variable.substr(equals + 1).c_str(), 1);
  }
  signal(SIGPIPE, SIG_DFL);
  execvp(argv[0].c_str(), c_strings(argv).data());
  _exit(127);
}

}  // namespace

KeepZombies::KeepZombies() { keep_zombies = true; }
KeepZombies::~KeepZombies() { keep_zombies = false; }

void reap_orphans() {
  if (keep_zombies) return;
  // waitid(2) can't be asked for "all but these": stop at the first of ours, it is taken soon.
  for (;;) {
    siginfo_t ended{};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0 || ended.si_pid == 0) return;
    const auto& own = own_children();
    if (std::find(own.begin(), own.end(), ended.si_pid) != own.end()) return;
    waitpid(ended.si_pid, nullptr, 0);
  }
}

Process::Process(const std::vector<std::string>& argv, const CommandOptions& options)
    : timeout_(options.timeout), out_(memory_file("stdout")), err_(memory_file("stderr")) {
  Fd input =
      options.input.empty() ? open_or_throw(AT_FDCWD, "/dev/null", O_RDONLY) : memory_file("stdin");
  if (!options.input.empty()) {
    write_all(input.get(), options.input, "stdin");
    lseek(input.get(), 0, SEEK_SET);
  }
  std::vector<std::pair<int, int>> fds = options.fds;
  if (options.terminal >= 0)
    for (const int number : {0, 1, 2}) fds.emplace_back(options.terminal, number);
  else
    fds.insert(fds.end(), {{input.get(), 0}, {out_.get(), 1}, {err_.get(), 2}});
  pid_ = fork();
  if (pid_ < 0) throw Error("starting " + argv[0], "fork", errno);
  if (pid_ == 0) become(argv, options, fds);
  own_children().push_back(pid_);
  pidfd_.reset(sys::pidfd_open(pid_, 0));
}

Process::~Process() {
  if (done_) return;
  signal(SIGKILL);
  take();
}

int Process::take() {
  const int status = wait_for(pid_);
  std::erase(own_children(), pid_);
  done_ = true;
  return status;
}

void Process::signal(int number) const { kill(pid_, number); }

std::string Process::out() const { return content_of(out_); }
std::string Process::err() const { return content_of(err_); }

Outcome Process::wait() {
  pollfd end{pidfd_.get(), POLLIN, 0};
  const auto limit = std::chrono::steady_clock::now() + timeout_;
  bool in_time = false;
  while (!in_time && std::chrono::steady_clock::now() < limit) {
    in_time = poll(&end, 1, 10) == 1;
    reap_orphans();
  }
  if (!in_time) signal(SIGKILL);
  const int status = take();
  Outcome outcome{-1, out(), err()};
  if (!in_time) {
    outcome.err += "\n[killed by the test: timed out]";
  } else {
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return outcome;
}

Outcome run_command(const std::vector<std::string>& argv, const CommandOptions& options) {
  return Process(argv, options).wait();
}

}  // namespace hull::conformance

#include "libruntime/system/command.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>

#include <cerrno>
#include <csignal>

#include "libruntime/system/error.h"
#include "libruntime/system/syscalls.h"

namespace hull {
namespace {

constexpr size_t kKeptOutput = 4096;

struct Pipe {
  Fd read, write;
};

Pipe make_pipe(int flags = 0) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | flags) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  return {Fd(ends[0]), Fd(ends[1])};
}

// Between fork and execve: only calls that are safe in the child of a threaded program.
[[noreturn]] void become(const char* path, char* const* argv, char* const* envp, const char* dir,
                         int in, int out, int err, int failure) {
  sigset_t none;
  sigemptyset(&none);
  if (sigprocmask(SIG_SETMASK, &none, nullptr) == 0 && dup2(in, 0) >= 0 && dup2(out, 1) >= 0 &&
      dup2(err, 2) >= 0 && (dir[0] == '\0' || chdir(dir) == 0) &&
      close_from(3, CLOSE_RANGE_CLOEXEC))
    execve(path, argv, envp);
  const int code = errno;
  if (write(failure, &code, sizeof code) < 0) _exit(126);
  _exit(127);
}

void keep_tail(std::string& kept, std::string_view more) {
  kept += more;
  if (kept.size() > kKeptOutput) kept.erase(0, kept.size() - kKeptOutput);
}

// Feeds stdin, collects the output, until the command is gone.
class Conversation {
 public:
  // `in` with its read end: as long as we are a reader, too, a command that does not read its input
  // can't kill us with SIGPIPE.
  Conversation(const Command& command, int pidfd, Pipe in, Fd out)
      : command_(command), pidfd_(pidfd), in_(std::move(in)), out_(std::move(out)) {
    if (command.timeout) deadline_ = Clock::now() + *command.timeout;
    if (command_.input.empty()) in_ = {};
  }

  void run(CommandResult& result) {
    for (;;) {
      pollfd fds[] = {{pidfd_, POLLIN, 0},
                      {in_.write.get(), POLLOUT, 0},
                      {out_.get(), POLLIN, 0},
                      {command_.abort_fd, 0, 0}};
      const int ready = poll(fds, 4, remaining());
      if (ready < 0 && errno != EINTR) throw Error("cannot wait for a command", "poll", errno);
      if (ready == 0) {
        result.timed_out = true;
        return;
      }
      if (ready < 0) continue;
      if ((fds[3].revents & (POLLHUP | POLLERR)) != 0) {
        result.aborted = true;
        return;
      }
      if (fds[1].revents != 0) feed();
      if (fds[2].revents != 0) collect(result.output);
      if (fds[0].revents != 0) {
        // Grandchildren may hold the pipe open: take what is there and leave.
        while (out_ && collect(result.output)) continue;
        return;
      }
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  int remaining() const {
    if (!deadline_) return -1;
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(*deadline_ - Clock::now()).count();
    return left <= 0 ? 0 : static_cast<int>(std::min<long long>(left + 1, 1'000'000'000));
  }

  void feed() {
    const ssize_t wrote =
        write(in_.write.get(), command_.input.data() + fed_, command_.input.size() - fed_);
    if (wrote > 0) fed_ += static_cast<size_t>(wrote);
    const bool again = wrote < 0 && (errno == EAGAIN || errno == EINTR);
    if (wrote < 0 && !again) throw Error("cannot write a command's input", "write", errno);
    if (fed_ == command_.input.size()) in_ = {};
  }

  bool collect(std::string& output) {
    char buffer[1024];
    const ssize_t got = read(out_.get(), buffer, sizeof buffer);
    if (got > 0) keep_tail(output, {buffer, static_cast<size_t>(got)});
    if (got == 0) out_.reset();
    return got > 0;
  }

  const Command& command_;
  int pidfd_;
  Pipe in_;
  Fd out_;
  size_t fed_ = 0;
  std::optional<Clock::time_point> deadline_;
};

}  // namespace

std::vector<char*> c_strings(const std::vector<std::string>& list) {
  std::vector<char*> out;
  out.reserve(list.size() + 1);
  for (const std::string& one : list) out.push_back(const_cast<char*>(one.c_str()));
  out.push_back(nullptr);
  return out;
}

int wait_for(pid_t pid) noexcept {
  int status = 0;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR) return -1;
  return status;
}

CommandResult run_command(const Command& command) {
  const std::vector<std::string> name{command.path};
  const auto argv = c_strings(command.args.empty() ? name : command.args);
  const auto envp = command.env ? c_strings(*command.env) : std::vector<char*>{};
  Pipe in = make_pipe(), out = make_pipe(), failure = make_pipe();
  if (fcntl(in.write.get(), F_SETFL, O_NONBLOCK) != 0 ||
      fcntl(out.read.get(), F_SETFL, O_NONBLOCK) != 0)
    throw Error("cannot set up a pipe", "fcntl", errno);

  const auto or_pipe = [&](int fd) { return fd >= 0 ? fd : out.write.get(); };
  int pidfd_raw = -1;
  clone_args args{};
  args.flags = CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  args.pidfd = reinterpret_cast<uintptr_t>(&pidfd_raw);
  args.exit_signal = SIGCHLD;
  const pid_t pid = sys::clone3(&args);
  if (pid < 0) throw Error("cannot start " + quote(command.path), "clone3", errno);
  if (pid == 0)
    become(command.path.c_str(), argv.data(), command.env ? envp.data() : environ,
           command.dir.c_str(), in.read.get(), or_pipe(command.out_fd), or_pipe(command.err_fd),
           failure.write.get());
  const Fd pidfd(pidfd_raw);
  out.write.reset();
  failure.write.reset();

  CommandResult result;
  try {
    Conversation(command, pidfd.get(), std::move(in), std::move(out.read)).run(result);
  } catch (...) {
    sys::pidfd_send_signal(pidfd.get(), SIGKILL);
    wait_for(pid);
    throw;
  }
  if (result.timed_out || result.aborted) sys::pidfd_send_signal(pidfd.get(), SIGKILL);
  result.status = wait_for(pid);
  if (read(failure.read.get(), &result.exec_errno, sizeof result.exec_errno) !=
      sizeof result.exec_errno)
    result.exec_errno = 0;
  return result;
}

}  // namespace hull

#include "libruntime/checkpoint/criu.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

#include "libruntime/system/command.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/syscalls.h"
#include "libruntime/system/text.h"

namespace hull::checkpoint {
namespace {

constexpr int kSocket = 3;
constexpr size_t kMaxPacket = 64 * 1024;

std::string find_criu() {
  const char* path = std::getenv("PATH");
  if (path == nullptr || *path == '\0')
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  for (const std::string_view dir : split(path, ':')) {
    std::string file = std::string(dir) + "/criu";
    if (!dir.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  throw Error("cannot find criu in PATH").hint("install the package criu");
}

// Where a newborn failed.
enum class Step { cgroup, mounts, descriptors, exec };
constexpr std::array kSteps{"entering the container's cgroup", "mounting the root file system",
                            "passing descriptors", "execve"};

struct Newborn {
  const char* path;
  char* const* argv;
  const std::vector<std::string>& task_files;
  const WorkRoot* root;
  const std::vector<int>& sources;  // of 0, 1, 2, ...; none of them lies in the way
  int failure;
};

[[noreturn]] void fail(const Newborn& newborn, Step step) {
  const int number = static_cast<int>(step) << 16 | errno;
  if (syscall(SYS_write, newborn.failure, &number, sizeof number) < 0) _exit(126);
  _exit(127);
}

// Between clone and execve: raw system calls only, as for hull-init.
[[noreturn]] void become_criu(const Newborn& newborn) {
  for (const std::string& path : newborn.task_files) {
    const long tasks = syscall(SYS_openat, AT_FDCWD, path.c_str(), O_WRONLY | O_CLOEXEC);
    if (tasks < 0 || syscall(SYS_write, tasks, "0", 1) != 1) fail(newborn, Step::cgroup);
  }
  if (const WorkRoot* root = newborn.root) {
    if (syscall(SYS_mount, nullptr, root->parent_mount.c_str(), nullptr, MS_SLAVE, nullptr) != 0 ||
        syscall(SYS_mount, root->source.c_str(), root->target.c_str(), nullptr, MS_BIND | MS_REC,
                nullptr) != 0)
      fail(newborn, Step::mounts);
  }
  int place = 0;
  for (const int source : newborn.sources)
    if (syscall(SYS_dup3, source, place++, 0) < 0) fail(newborn, Step::descriptors);
  if (!close_from(static_cast<unsigned>(place), CLOSE_RANGE_CLOEXEC))
    fail(newborn, Step::descriptors);
  const uint64_t none = 0;
  if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none) != 0)
    fail(newborn, Step::exec);
  syscall(SYS_execve, newborn.path, newborn.argv, environ);
  fail(newborn, Step::exec);
}

// What becomes 0, 1, 2 and so on, duplicated behind all places that will be filled.
std::vector<Fd> out_of_the_way(const CriuBirth& birth, int socket) {
  const Fd null_device = open_or_throw(AT_FDCWD, "/dev/null", O_RDWR);
  std::vector<int> all;
  for (const int stream : birth.streams) all.push_back(stream < 0 ? null_device.get() : stream);
  all.push_back(socket);
  all.insert(all.end(), birth.descriptors.begin(), birth.descriptors.end());
  std::vector<Fd> out;
  for (const int fd : all) {
    out.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, static_cast<int>(all.size())));
    if (!out.back()) throw Error("cannot move a descriptor", "fcntl", errno);
  }
  return out;
}

std::vector<int> numbers_of(const std::vector<Fd>& fds) {
  std::vector<int> out;
  for (const Fd& fd : fds) out.push_back(fd.get());
  return out;
}

pid_t clone_for(const CriuBirth& birth) {
  clone_args args{};
  args.flags = CLONE_CLEAR_SIGHAND;
  if (birth.root != nullptr) args.flags |= CLONE_NEWNS;
  args.exit_signal = SIGCHLD;
  if (birth.entrance != nullptr && birth.entrance->unified) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(birth.entrance->unified.get());
  }
  return sys::clone3(&args);
}

void throw_birth_error(int failure) {
  int number = 0;
  ssize_t got = 0;
  while ((got = read(failure, &number, sizeof number)) < 0 && errno == EINTR) continue;
  if (got != sizeof number) return;  // closed by execve
  const auto step = static_cast<size_t>(number >> 16);
  throw Error("cannot start criu", step < kSteps.size() ? kSteps[step] : "?", number & 0xffff);
}

}  // namespace

Criu::Criu(const CriuBirth& birth) {
  const std::string path = find_criu();
  const std::vector<std::string> words{"criu", "swrk", std::to_string(kSocket)};
  const auto argv = c_strings(words);
  int ends[2];
  int pipe_ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error("cannot make a socket pair", "socketpair", errno);
  socket_.reset(ends[0]);
  Fd theirs(ends[1]);
  if (pipe2(pipe_ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  const Fd failure(pipe_ends[0]);
  Fd failure_writer(pipe_ends[1]);
  std::vector<Fd> moved = out_of_the_way(birth, theirs.get());
  const std::vector<int> sources = numbers_of(moved);
  // Numbers below `sources` could be covered.
  Fd report(fcntl(failure_writer.get(), F_DUPFD_CLOEXEC, sources.back() + 1));
  if (!report) throw Error("cannot move a descriptor", "fcntl", errno);
  failure_writer.reset();
  static const std::vector<std::string> kNoFiles;
  const Newborn newborn{
      path.c_str(), argv.data(), birth.entrance != nullptr ? birth.entrance->task_files : kNoFiles,
      birth.root,   sources,     report.get()};
  const pid_t pid = clone_for(birth);
  if (pid < 0) throw Error("cannot start criu", "clone3", errno);
  if (pid == 0) become_criu(newborn);
  theirs.reset();
  moved.clear();
  report.reset();
  try {
    throw_birth_error(failure.get());
  } catch (...) {
    wait_for(pid);
    throw;
  }
  pid_ = pid;
}

Criu::~Criu() {
  if (pid_ < 0) return;
  socket_.reset();
  ::kill(pid_, SIGKILL);
  wait_for(pid_);
}

void Criu::send(const std::string& packet) const {
  if (::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL) !=
      static_cast<ssize_t>(packet.size()))
    throw Error("cannot talk to criu", "send", errno);
}

Response Criu::receive(Fd* fd) const {
  std::string buffer(kMaxPacket, '\0');
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * 8)];
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
  if (got < 0) throw Error("cannot hear criu", "recvmsg", errno);
  if (got == 0) throw Error("criu ended without an answer");
  if ((message.msg_flags & MSG_TRUNC) != 0) throw Error("criu's message is too long");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(header) + i * sizeof number, sizeof number);
      Fd came(number);
      if (fd != nullptr && !*fd) *fd = std::move(came);
    }
  }
  return parse_response(std::string_view(buffer).substr(0, static_cast<size_t>(got)));
}

Response Criu::ask(const std::string& packet, RequestType type) const {
  send(packet);
  Response answer = receive();
  if (!answer.success || answer.type != type)
    throw Error("criu does not answer a " + name_of(type) + " request" +
                (answer.message.empty() ? "" : ": " + answer.message));
  return answer;
}

int Criu::version() { return ask(version_request(), RequestType::version).version; }

Features Criu::features(const Features& wanted) {
  return ask(feature_request(wanted), RequestType::feature_check).features;
}

Response Criu::run(RequestType type, const RpcOptions& options, const Listener& listener) {
  send(request(type, options));
  std::exception_ptr failure;
  for (;;) {
    Fd fd;
    Response response;
    try {
      response = receive(&fd);
    } catch (const Error&) {
      if (failure) std::rethrow_exception(failure);
      throw;
    }
    if (response.type != RequestType::notify || !response.notification) {
      if (failure) std::rethrow_exception(failure);
      return response;
    }
    log::debug("criu: " + response.notification->script);
    try {
      if (!failure) listener(*response.notification, std::move(fd));
    } catch (...) {
      failure = std::current_exception();
    }
    send(notify_answer(!failure));
  }
}

bool Criu::end() {
  socket_.reset();
  const int status = wait_for(std::exchange(pid_, -1));
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace hull::checkpoint

#include "cmd/hull/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

constexpr char kSocketName[] = "notify.sock";
constexpr std::string_view kBarrier = "BARRIER=1";
constexpr size_t kMaxMessage = 4096;  // systemd's own limit
constexpr size_t kMaxFds = 16;

// sd_notify(3).
constexpr std::array<std::string_view, 10> kPassing{
    "READY=", "RELOADING=", "STOPPING=", "MONOTONIC_USEC=",      "STATUS=",
    "ERRNO=", "BUSERROR=",  "WATCHDOG=", "EXTEND_TIMEOUT_USEC=", "WATCHDOG_USEC="};

std::string directory_of(const std::string& root, const std::string& id) {
  return root + "/.notify@" + id;
}

struct Address {
  sockaddr_un name{};
  socklen_t length = 0;
};

// "@name" is in the abstract namespace (unix(7)).
Address address_of(std::string_view text) {
  Address out;
  out.name.sun_family = AF_UNIX;
  if (text.size() >= sizeof out.name.sun_path || text.size() < 2 ||
      (text[0] != '/' && text[0] != '@'))
    throw Error("NOTIFY_SOCKET is no socket that can be used: " + quote(text));
  std::memcpy(out.name.sun_path, text.data(), text.size());
  if (text[0] == '@') out.name.sun_path[0] = '\0';
  out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size() +
                                      (text[0] == '@' ? 0 : 1));
  return out;
}

struct Message {
  std::string text;
  std::array<Fd, kMaxFds> fds;
};

// Nothing when none waits.
std::optional<Message> receive(int socket) {
  char buffer[kMaxMessage];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxFds)];
  iovec part{buffer, sizeof buffer};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  ssize_t got = 0;
  do got = recvmsg(socket, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return std::nullopt;
  Message out;
  out.text.assign(buffer, static_cast<size_t>(got));
  size_t count = 0;
  for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
    if (one->cmsg_level != SOL_SOCKET || one->cmsg_type != SCM_RIGHTS) continue;
    const size_t number = (one->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < number && count < kMaxFds; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(one) + i * sizeof fd, sizeof fd);
      out.fds[count++].reset(fd);
    }
  }
  return out;
}

Fd datagram_socket() {
  Fd out(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!out) throw Error("cannot make a notification socket", "socket", errno);
  return out;
}

}  // namespace

std::string filter_notification(std::string_view message, pid_t main_pid, bool& ready) {
  std::string out;
  bool ready_here = false;
  for (const std::string_view line : split(message, '\n')) {
    const bool passes = std::any_of(kPassing.begin(), kPassing.end(),
                                    [&](std::string_view key) { return line.starts_with(key); });
    if (!passes) continue;
    ready_here = ready_here || line == "READY=1";
    out.append(line).append("\n");
  }
  if (ready_here) out += "MAINPID=" + std::to_string(main_pid) + "\n";
  ready = ready || ready_here;
  return out;
}

std::optional<NotifyProxy> NotifyProxy::from_environment(const std::string& root,
                                                         const std::string& id) {
  const char* host = getenv("NOTIFY_SOCKET");
  if (host == nullptr || *host == '\0') return std::nullopt;
  (void)address_of(host);  // throws before anything is made
  return NotifyProxy(root, id, host);
}

void NotifyProxy::remove(const std::string& root, const std::string& id) {
  const std::string directory = directory_of(root, id);
  if (rmdir(directory.c_str()) == 0 || errno == ENOENT) return;
  const bool emptied = unlink((directory + "/" + kSocketName).c_str()) == 0;
  if (!emptied || rmdir(directory.c_str()) != 0)
    log::warning("cannot remove " + quote(directory) + ": " + errno_text(errno));
}

NotifyProxy::NotifyProxy(std::string root, std::string id, std::string host)
    : root_(std::move(root)),
      id_(std::move(id)),
      host_(std::move(host)),
      directory_(directory_of(root_, id_)),
      path_(directory_ + "/" + kSocketName) {}

NotifyProxy::~NotifyProxy() {
  if (owned_) remove(root_, id_);
}

void NotifyProxy::make_directory() {
  make_directories(root_, 0711);
  if (mkdir(directory_.c_str(), 0755) != 0) {
    if (errno != EEXIST) throw Error("cannot make " + quote(directory_), "mkdir", errno);
    // A container's that lives, or one that a killed process left.
    if (access((root_ + "/" + id_).c_str(), F_OK) == 0)
      throw Error("container with given ID already exists");
  }
  owned_ = true;
  // The container's users need the way to the socket, whatever the umask.
  if (chmod(directory_.c_str(), 0755) != 0)
    throw Error("cannot set the mode of " + quote(directory_), "chmod", errno);
}

bool NotifyProxy::has_directory() const { return access(directory_.c_str(), F_OK) == 0; }

void NotifyProxy::bind() {
  const Fd directory = open_or_throw(AT_FDCWD, directory_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  if (unlinkat(directory.get(), kSocketName, 0) != 0 && errno != ENOENT)
    throw Error("cannot remove the old " + quote(path_), "unlink", errno);
  socket_ = datagram_socket();
  // Through the descriptor: sun_path has room for 107 bytes only.
  const Address address =
      address_of("/proc/self/fd/" + std::to_string(directory.get()) + "/" + kSocketName);
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address.name), address.length) != 0)
    throw Error("cannot bind " + quote(path_), "bind", errno);
  // Any user of the container may notify, as with runc.
  if (fchmodat(directory.get(), kSocketName, 0777, 0) != 0)
    throw Error("cannot set the mode of " + quote(path_), "chmod", errno);
  client_ = datagram_socket();
  // A service manager that does not read must not stop us for ever.
  const timeval limit{5, 0};
  if (setsockopt(client_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
    throw Error("cannot set a time limit for notifications", "setsockopt", errno);
}

void NotifyProxy::send(std::string_view message, int fd) const {
  Address address = address_of(host_);
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof fd)] = {};
  iovec part{const_cast<char*>(message.data()), message.size()};
  msghdr header{};
  header.msg_name = &address.name;
  header.msg_namelen = address.length;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (fd >= 0) {
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(rights), &fd, sizeof fd);
  }
  if (sendmsg(client_.get(), &header, MSG_NOSIGNAL) < 0)
    log::warning("cannot send a notification to " + quote(host_) + ": " + errno_text(errno));
}

bool NotifyProxy::forward_one(pid_t main_pid, bool& ready) {
  const std::optional<Message> message = receive(socket_.get());
  if (!message) return false;
  // The descriptor goes along: the container waits until the service manager itself closes it.
  if (trim(message->text) == kBarrier) {
    if (message->fds[0]) send(kBarrier, message->fds[0].get());
    return true;
  }
  const std::string passing = filter_notification(message->text, main_pid, ready);
  if (!passing.empty()) send(passing, -1);
  return true;
}

bool NotifyProxy::forward(pid_t main_pid) {
  bool ready = false;
  // Bounded: a container that never stops sending must not keep us from other work.
  for (int i = 0; i < 64 && forward_one(main_pid, ready); ++i) continue;
  return ready;
}

void NotifyProxy::forward_until_ready(int pidfd, pid_t main_pid,
                                      std::chrono::milliseconds barrier) {
  for (;;) {
    pollfd fds[] = {{socket_.get(), POLLIN, 0}, {pidfd, POLLIN, 0}};
    if (poll(fds, 2, -1) < 0) {
      if (errno == EINTR) continue;
      throw Error("cannot wait for the container's notification", "poll", errno);
    }
    if (forward(main_pid)) return wait_for_barrier(barrier);
    if (fds[1].revents != 0) return;
  }
}

void NotifyProxy::wait_for_barrier(std::chrono::milliseconds limit) const {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
  const Fd reader(ends[0]);
  {
    const Fd writer(ends[1]);
    send(kBarrier, writer.get());
  }
  // sd_notify_barrier(3): the service manager closes its end when it has handled all before.
  const auto deadline = std::chrono::steady_clock::now() + limit;
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd poll_fd{reader.get(), POLLIN, 0};
    const int ready = poll(&poll_fd, 1, static_cast<int>(std::max<int64_t>(left.count(), 0)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) log::warning("the service manager did not answer the barrier in time");
    return;
  }
}

}  // namespace hull::cmd

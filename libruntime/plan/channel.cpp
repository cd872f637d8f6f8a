#include "libruntime/plan/channel.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "libruntime/plan/codec.h"
#include "libruntime/system/files.h"

namespace hull::plan {
namespace {

struct Header {
  MessageType type;
  uint32_t in_memfd;  // the payload is the content of the last descriptor
};

constexpr size_t kMaxInline = 32 << 10;
constexpr size_t kMaxFds = 64;
// args and env may be long (ARG_MAX is 6 MiB at most); nothing honest is larger.
constexpr size_t kMaxPayload = size_t{32} << 20;

Fd payload_file(std::string_view payload) {
  Fd file(memfd_create("hull-message", MFD_CLOEXEC));
  if (!file) throw Error("cannot make a file for a large message", "memfd_create", errno);
  write_all(file.get(), payload, "message");
  if (lseek(file.get(), 0, SEEK_SET) != 0) throw Error("cannot rewind a message", "lseek", errno);
  return file;
}

void take_fds(const msghdr& header, std::vector<Fd>& out) {
  for (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
      out.emplace_back(fd);
    }
  }
}

pid_t writer_of(const msghdr& header) {
  for (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr;
       c = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS) continue;
    ucred writer{};
    std::memcpy(&writer, CMSG_DATA(c), sizeof writer);
    return writer.pid;
  }
  return 0;
}

}  // namespace

std::pair<Channel, Channel> Channel::make_pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw Error("cannot make the channel to the container's init", "socketpair", errno);
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

void Channel::send(MessageType type, std::string_view payload, std::span<const int> fds) {
  Header header{type, payload.size() > kMaxInline ? 1U : 0U};
  std::vector<int> all(fds.begin(), fds.end());
  Fd file;
  if (header.in_memfd != 0) {
    file = payload_file(payload);
    all.push_back(file.get());
    payload = {};
  }
  if (all.size() > kMaxFds) throw Error("too many descriptors for one message");
  iovec parts[2] = {{&header, sizeof header}, {const_cast<char*>(payload.data()), payload.size()}};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = payload.empty() ? 1 : 2;
  if (!all.empty()) {
    message.msg_control = control;
    message.msg_controllen = CMSG_SPACE(all.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&message);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(all.size() * sizeof(int));
    std::memcpy(CMSG_DATA(rights), all.data(), all.size() * sizeof(int));
  }
  while (sendmsg(socket_.get(), &message, MSG_NOSIGNAL) < 0) {
    if (errno != EINTR) throw Error("cannot reach the other half of the runtime", "sendmsg", errno);
  }
}

void Channel::send_number(MessageType type, int number) {
  const RawNumber packet = raw_number(type, number);
  if (write(socket_.get(), &packet, sizeof packet) != static_cast<ssize_t>(sizeof packet))
    throw Error("cannot reach the other half of the runtime", "write", errno);
}

int number_of(const Message& message) { return decode<int>(message.payload); }

void limit_wait(int socket, std::chrono::milliseconds time) {
  const timeval limit{time.count() / 1000, time.count() % 1000 * 1000};
  if (setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0)
    throw Error("cannot limit the wait for a message", "setsockopt(SO_RCVTIMEO)", errno);
}

void Channel::on_silence(std::chrono::milliseconds time, std::function<void()> call) {
  limit_wait(socket_.get(), time);
  on_silence_ = std::move(call);
}

std::optional<Message> Channel::receive() {
  // Not value-initialised: only what arrives touches memory.
  const std::unique_ptr<char[]> buffer(new char[kMaxInline]);
  Header header{};
  iovec parts[2] = {{&header, sizeof header}, {buffer.get(), kMaxInline}};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int)) + CMSG_SPACE(sizeof(ucred))];
  msghdr message{};
  message.msg_iov = parts;
  message.msg_iovlen = 2;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  while ((got = recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC)) < 0) {
    if (errno == EAGAIN) {
      if (on_silence_) on_silence_();
      continue;
    }
    // ECONNRESET comes once, when the peer has left something unread, and before its last words.
    if (errno != EINTR && errno != ECONNRESET)
      throw Error("cannot hear the other half of the runtime", "recvmsg", errno);
  }
  if (got == 0) return std::nullopt;
  Message out;
  take_fds(message, out.fds);
  out.writer = writer_of(message);
  if (static_cast<size_t>(got) < sizeof header ||
      (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
    throw Error("malformed message: cut off");
  out.type = header.type;
  if (header.in_memfd == 0) {
    out.payload.assign(buffer.get(), static_cast<size_t>(got) - sizeof header);
  } else {
    if (out.fds.empty()) throw Error("malformed message: its file is missing");
    out.payload = read_all(out.fds.back().get(), "message", kMaxPayload);
    out.fds.pop_back();
  }
  return out;
}

void Channel::ask_for_writers() {
  const int on = 1;
  if (setsockopt(socket_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
    throw Error("cannot make a socket tell its writer", "setsockopt(SO_PASSCRED)", errno);
}

void Channel::finish() {
  if (shutdown(socket_.get(), SHUT_WR) != 0)
    throw Error("cannot leave the other half of the runtime", "shutdown", errno);
}

std::string encode_error(const Error& error) {
  Writer writer;
  writer(error.message(), error.call(), error.code(), error.stage(), error.field(), error.hint());
  return writer.take();
}

Error decode_error(std::string_view bytes) {
  std::string message, call, stage, field, hint;
  int code = 0;
  Reader reader(bytes);
  reader(message, call, code, stage, field, hint);
  Error out(std::move(message), call, code);
  out.set_stage(stage);
  out.set_field(field);
  out.set_hint(hint);
  return out;
}

}  // namespace hull::plan

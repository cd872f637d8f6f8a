#include "libruntime/network/rtnetlink.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::network {
namespace {

constexpr size_t kBuffer = 32 << 10;  // what the kernel fills at most with one recvmsg(2)

constexpr size_t aligned(size_t size) { return (size + 3) & ~size_t{3}; }

Fd open_socket() {
  Fd fd(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!fd) throw Error("cannot reach the kernel's network configuration", "socket", errno);
  // Both only make errors clearer: without them they stay as they are.
  const int on = 1;
  (void)setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return fd;
}

Fd open_socket_in(int net_namespace) {
  const Fd own = open_or_throw(AT_FDCWD, "/proc/thread-self/ns/net", O_RDONLY);
  if (setns(net_namespace, CLONE_NEWNET) != 0)
    throw Error("cannot enter the network namespace", "setns", errno);
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  const int code = errno;
  Fd out(fd);
  if (setns(own.get(), CLONE_NEWNET) != 0)
    throw Error("cannot return to the own network namespace", "setns", errno);
  if (!out) throw Error("cannot reach the kernel's network configuration", "socket", code);
  return out;
}

// The content of an attribute in `attributes`.
std::optional<std::string_view> find_attribute(std::string_view attributes, uint16_t type) {
  rtattr head{};
  while (attributes.size() >= sizeof head) {
    std::memcpy(&head, attributes.data(), sizeof head);
    if (head.rta_len < sizeof head || head.rta_len > attributes.size()) break;
    if ((head.rta_type & NLA_TYPE_MASK) == type)
      return attributes.substr(sizeof head, head.rta_len - sizeof head);
    attributes.remove_prefix(std::min(aligned(head.rta_len), attributes.size()));
  }
  return std::nullopt;
}

// The kernel's own words beside its errno; often there are none.
std::string_view explanation(const nlmsghdr& head, std::string_view attributes) {
  if ((head.nlmsg_flags & NLM_F_ACK_TLVS) == 0 || (head.nlmsg_flags & NLM_F_CAPPED) == 0) return {};
  const std::string_view text = find_attribute(attributes, NLMSGERR_ATTR_MSG).value_or("");
  return text.substr(0, text.find('\0'));
}

// NLMSG_ERROR: 0 is an acknowledgement.
void throw_if_refused(const nlmsghdr& head, std::string_view body) {
  nlmsgerr answer{};
  if (body.size() < sizeof answer) throw Error("the kernel's answer is cut off");
  std::memcpy(&answer, body.data(), sizeof answer);
  if (answer.error != 0)
    throw Error("the kernel refuses", "rtnetlink", -answer.error)
        .hint(explanation(head, body.substr(sizeof answer)));
}

// NLMSG_DONE: the end of a list, or an error in the middle of it.
void throw_if_broken_off(std::string_view body) {
  int error = 0;
  if (body.size() < sizeof error) return;
  std::memcpy(&error, body.data(), sizeof error);
  if (error < 0) throw Error("the kernel breaks off its list", "rtnetlink", -error);
}

}  // namespace

Request::Request(uint16_t type, uint16_t flags) {
  nlmsghdr head{};
  head.nlmsg_type = type;
  head.nlmsg_flags = flags | NLM_F_REQUEST;
  append(&head, sizeof head);
}

void Request::append(const void* data, size_t size) {
  if (size > 0) bytes_.append(static_cast<const char*>(data), size);
  bytes_.resize(aligned(bytes_.size()));
}

void Request::attribute(uint16_t type, const void* data, size_t size) {
  const rtattr head{static_cast<uint16_t>(sizeof(rtattr) + size), type};
  append(&head, sizeof head);
  append(data, size);
}

size_t Request::begin(uint16_t type) {
  const size_t begun = bytes_.size();
  attribute(type, nullptr, 0);
  return begun;
}

void Request::end(size_t begun) {
  const auto size = static_cast<uint16_t>(bytes_.size() - begun);
  std::memcpy(bytes_.data() + begun, &size, sizeof size);  // rta_len comes first
}

std::optional<std::string_view> Reply::attribute(size_t header_size, uint16_t type) const {
  if (body_.size() < aligned(header_size)) return std::nullopt;
  return find_attribute(body_.substr(aligned(header_size)), type);
}

Rtnetlink::Rtnetlink() : socket_(open_socket()) {}

Rtnetlink::Rtnetlink(int net_namespace) : socket_(open_socket_in(net_namespace)) {}

void Rtnetlink::send(Request& request) {
  nlmsghdr head{};
  std::memcpy(&head, request.bytes_.data(), sizeof head);
  head.nlmsg_len = static_cast<uint32_t>(request.bytes_.size());
  head.nlmsg_flags |= NLM_F_ACK;
  head.nlmsg_seq = ++sequence_;
  std::memcpy(request.bytes_.data(), &head, sizeof head);
  if (::send(socket_.get(), request.bytes_.data(), request.bytes_.size(), 0) < 0)
    throw Error("cannot ask the kernel's network configuration", "send", errno);
}

void Rtnetlink::change(Request& request) {
  read(request, [](const Reply&) {});
}

void Rtnetlink::read(Request& request, const std::function<void(const Reply&)>& take) {
  send(request);
  const std::unique_ptr<char[]> buffer(new char[kBuffer]);
  for (;;) {
    const ssize_t got = recv(socket_.get(), buffer.get(), kBuffer, MSG_TRUNC);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error("cannot hear the kernel's network configuration", "recv", errno);
    if (static_cast<size_t>(got) > kBuffer) throw Error("the kernel's answer is cut off");
    std::string_view rest(buffer.get(), static_cast<size_t>(got));
    nlmsghdr head{};
    while (rest.size() >= sizeof head) {
      std::memcpy(&head, rest.data(), sizeof head);
      if (head.nlmsg_len < sizeof head || head.nlmsg_len > rest.size())
        throw Error("the kernel's answer is cut off");
      const std::string_view body = rest.substr(sizeof head, head.nlmsg_len - sizeof head);
      if (head.nlmsg_seq == sequence_) {
        if (head.nlmsg_type == NLMSG_ERROR) return throw_if_refused(head, body);
        if (head.nlmsg_type == NLMSG_DONE) return throw_if_broken_off(body);
        take(Reply(body));
      }
      rest.remove_prefix(std::min(aligned(head.nlmsg_len), rest.size()));
    }
  }
}

}  // namespace hull::network

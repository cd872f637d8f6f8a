#include "libruntime/cgroups/bus.h"

#include <dbus/dbus.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <new>

#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

constexpr char kSystemSocket[] = "/run/dbus/system_bus_socket";
constexpr char kPrivateSocket[] = "/run/systemd/private";
constexpr size_t kMaxMessage = size_t{16} << 20;

// "%2f" of an address's value.
std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto code =
        text[i] == '%' ? parse_number<uint8_t>(text.substr(i + 1, 2), 16) : std::nullopt;
    out += code ? static_cast<char>(*code) : text[i];
    if (code) i += 2;
  }
  return out;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string bus_socket(BusOwner owner) {
  const bool system = owner == BusOwner::system;
  const std::string given =
      environment(system ? "DBUS_SYSTEM_BUS_ADDRESS" : "DBUS_SESSION_BUS_ADDRESS");
  if (!given.empty()) {
    std::string path = socket_of_address(given);
    if (path.empty()) throw Error("no unix socket in the D-Bus address " + quote(given));
    return path;
  }
  if (system) return kSystemSocket;
  const std::string runtime = environment("XDG_RUNTIME_DIR");
  if (runtime.empty())
    throw Error("the user's D-Bus can't be found")
        .hint("set DBUS_SESSION_BUS_ADDRESS or XDG_RUNTIME_DIR");
  return runtime + "/bus";
}

// 0 or the errno.
int try_connect(const Fd& socket, const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) return ENAMETOOLONG;
  std::memcpy(address.sun_path, path.data(), path.size());
  // An abstract name ends where the length says, a path at its NUL.
  const size_t length = offsetof(sockaddr_un, sun_path) + path.size() + (path[0] != '\0' ? 1 : 0);
  int result = 0;
  do {
    result = connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                     static_cast<socklen_t>(length));
  } while (result != 0 && errno == EINTR);
  return result == 0 ? 0 : errno;
}

Fd new_socket(std::chrono::milliseconds limit) {
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) throw Error("cannot make a socket", "socket", errno);
  // Also limits connect(2), which waits when the peer's queue is full (socket(7)).
  const timeval time{limit.count() / 1000, (limit.count() % 1000) * 1000};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) != 0)
    throw Error("cannot limit the wait for a socket", "setsockopt", errno);
  return socket;
}

}  // namespace

void MessageDeleter::operator()(DBusMessage* message) const noexcept {
  dbus_message_unref(message);
}

std::string socket_of_address(std::string_view address) {
  for (const std::string_view one : split(address, ';')) {
    if (!one.starts_with("unix:")) continue;
    for (const std::string_view pair : split(one.substr(5), ',')) {
      if (pair.starts_with("path=")) return unescaped(pair.substr(5));
      if (pair.starts_with("abstract=")) return '\0' + unescaped(pair.substr(9));
    }
  }
  return "";
}

Bus::Bus(BusOwner owner, std::chrono::milliseconds limit)
    : socket_(new_socket(limit)), address_(bus_socket(owner)), limit_(limit) {
  int code = try_connect(socket_, address_);
  if (code != 0 && owner == BusOwner::system && (code == ENOENT || code == ECONNREFUSED) &&
      try_connect(socket_, kPrivateSocket) == 0) {
    address_ = kPrivateSocket;
    direct_ = true;
    code = 0;
  }
  if (code != 0) throw Error("cannot connect to the D-Bus at " + quote(address_), "connect", code);
  authenticate();
}

// All at once, the greeting too: nobody waits for an answer before the first call. No identity is
// given, so the peer takes that of the socket: in a user namespace this process doesn't know by
// which uid the host knows it (D-Bus specification, "EXTERNAL").
void Bus::authenticate() {
  out_.assign(1, '\0');
  out_ += "AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n";
  if (direct_) return;
  const BusMessage hello(dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                      DBUS_INTERFACE_DBUS, "Hello"));
  post(hello);
}

uint32_t Bus::post(const BusMessage& message) {
  if (!message) throw std::bad_alloc();
  dbus_message_set_serial(message.get(), ++serial_);
  char* data = nullptr;
  int size = 0;
  if (dbus_message_marshal(message.get(), &data, &size) == 0) throw std::bad_alloc();
  out_.append(data, static_cast<size_t>(size));
  dbus_free(data);
  return serial_;
}

BusMessage Bus::call(const BusMessage& message) {
  const uint32_t serial = post(message);
  const Deadline deadline(limit_);
  do {
    while (BusMessage got = take_message()) {
      const int type = dbus_message_get_type(got.get());
      if (type == DBUS_MESSAGE_TYPE_SIGNAL) signals_.push_back(std::move(got));
      if (type == DBUS_MESSAGE_TYPE_ERROR) {
        const char* text = "";
        dbus_message_get_args(got.get(), nullptr, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        throw BusError(dbus_message_get_error_name(got.get()), text);
      }
      if (type == DBUS_MESSAGE_TYPE_METHOD_RETURN &&
          dbus_message_get_reply_serial(got.get()) == serial)
        return got;
    }
  } while (exchange(deadline));
  throw Error("no answer to " + std::string(dbus_message_get_member(message.get())) + " from " +
                  quote(address_) + " within " + std::to_string(limit_.count() / 1000) + " s",
              "", ETIMEDOUT);
}

BusMessage Bus::next_signal(const Deadline& deadline) {
  do {
    while (BusMessage got = take_message())
      if (dbus_message_get_type(got.get()) == DBUS_MESSAGE_TYPE_SIGNAL)
        signals_.push_back(std::move(got));
    if (!signals_.empty()) {
      BusMessage first = std::move(signals_.front());
      signals_.pop_front();
      return first;
    }
  } while (exchange(deadline));
  return nullptr;
}

// Waits, sends what can be sent and takes what has come. False when the deadline passed, also when
// there is always something to take: the news of other units.
bool Bus::exchange(const Deadline& deadline) {
  if (deadline.passed()) return false;
  pollfd one{socket_.get(), static_cast<short>(out_.empty() ? POLLIN : POLLIN | POLLOUT), 0};
  const int ready = poll(&one, 1, deadline.remaining_ms());
  if (ready < 0 && errno != EINTR) throw Error("cannot wait for D-Bus", "poll", errno);
  if (ready == 0) return false;
  if (ready < 0) return true;
  if ((one.revents & POLLOUT) != 0) {
    const ssize_t sent = send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) out_.erase(0, static_cast<size_t>(sent));
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      throw Error("cannot send to the D-Bus at " + quote(address_), "send", errno);
  }
  if ((one.revents & (POLLIN | POLLHUP | POLLERR)) == 0) return true;
  std::array<char, 8192> buffer;
  const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  if (got > 0) in_.append(buffer.data(), static_cast<size_t>(got));
  if (got == 0) throw Error("the D-Bus at " + quote(address_) + " closed the connection");
  if (got < 0 && errno != EAGAIN && errno != EINTR)
    throw Error("cannot receive from the D-Bus at " + quote(address_), "recv", errno);
  if (!authenticated_) read_lines();
  return true;
}

// The answers to AUTH and DATA, until the one that lets us in.
void Bus::read_lines() {
  for (;;) {
    const size_t end = in_.find("\r\n");
    if (end == std::string::npos) return;
    const std::string line = in_.substr(0, end);
    in_.erase(0, end + 2);
    if (line.starts_with("OK")) {
      authenticated_ = true;
      return;
    }
    if (!line.starts_with("DATA"))
      throw Error("the D-Bus at " + quote(address_) + " lets us not in: " + quote(line));
  }
}

BusMessage Bus::take_message() {
  if (!authenticated_ || in_.size() < DBUS_MINIMUM_HEADER_SIZE) return nullptr;
  const int size = static_cast<int>(in_.size());
  const int needed = dbus_message_demarshal_bytes_needed(in_.data(), size);
  if (needed < 0 || static_cast<size_t>(needed) > kMaxMessage)
    throw Error("the D-Bus at " + quote(address_) + " sends no D-Bus message");
  if (needed == 0 || needed > size) return nullptr;
  BusMessage message(dbus_message_demarshal(in_.data(), needed, nullptr));
  if (!message) throw Error("the D-Bus at " + quote(address_) + " sends a damaged message");
  in_.erase(0, static_cast<size_t>(needed));
  return message;
}

}  // namespace hull::cgroups

#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"

struct DBusMessage;

// A private connection to a D-Bus message bus on which every wait has a limit. libdbus builds and
// reads the messages; the socket is our own, since libdbus waits for connect(2) and the
// authentication for as long as the peer likes.
namespace hull::cgroups {

struct MessageDeleter {
  void operator()(DBusMessage* message) const noexcept;
};
using BusMessage = std::unique_ptr<DBusMessage, MessageDeleter>;

// An answer that was an error.
class BusError : public Error {
 public:
  BusError(std::string name, const std::string& text)
      : Error(text + " (" + name + ")"), name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string name_;
};

enum class BusOwner { system, user };
inline constexpr std::chrono::seconds kBusLimit{30};

class Bus {
 public:
  // The system's bus, or that of the user who runs this (the session's address in the environment,
  // else the one in $XDG_RUNTIME_DIR). As root without a system bus: systemd's private socket.
  // Throws Error.
  explicit Bus(BusOwner owner, std::chrono::milliseconds limit = kBusLimit);

  // Whether systemd is at the other end itself, so that there is no bus to ask for signals.
  [[nodiscard]] bool direct() const { return direct_; }
  // To be sent with the next call; gives its serial. An error in answer fails that call.
  uint32_t post(const BusMessage& message);
  // Sends and waits for the answer. Throws BusError for an error, Error when the time is over or
  // the peer is gone.
  BusMessage call(const BusMessage& message);
  // The oldest signal that was not taken yet; waits until the deadline. Null when it passed.
  BusMessage next_signal(const Deadline& deadline);
  [[nodiscard]] std::chrono::milliseconds limit() const { return limit_; }

 private:
  void authenticate();
  bool exchange(const Deadline& deadline);
  void read_lines();
  BusMessage take_message();

  Fd socket_;
  std::string address_;
  bool direct_ = false;
  bool authenticated_ = false;
  std::chrono::milliseconds limit_;
  std::string out_;
  std::string in_;
  uint32_t serial_ = 0;
  std::deque<BusMessage> signals_;
};

// Where the bus listens, of a D-Bus address ("unix:path=/run/x,guid=1;tcp:..."): the path of the
// first unix socket, with a leading NUL for an abstract one. Empty when there is none. Pure.
std::string socket_of_address(std::string_view address);

}  // namespace hull::cgroups

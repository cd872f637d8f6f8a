#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"

namespace hull::plan {

// What the two ends say to each other, in the order of a container's life. "created" is the only
// sign of success: a channel that closes before it is a failure.
enum class MessageType : uint32_t {
  plan,             // launcher: a Plan and its descriptors
  mount_source,     // init: index of the mount whose source it needs; the answer has the mount tree
  ready_for_hooks,  // init: the namespaces and mounts are there; run prestart and createRuntime
  proceed,          // launcher: go on
  priority,         // init: may not set its own scheduler or I/O priority; the launcher does it
  console,          // init: the pty's master
  seccomp_listener,  // init: the listener's fd; waits for `proceed`
  second,            // init of exec: who writes this goes on, the first process ends
  created,           // init: nothing is left but the start; may wait for `proceed`
  error,             // init: an Error
  log,               // init: level (one character) and text
  stillborn,         // the clone, before it became hull-init: step and errno in one number
};

struct Message {
  MessageType type{};
  std::string payload;
  std::vector<Fd> fds;
  pid_t writer = 0;  // with ask_for_writers()
};

// A message that is one number, as it goes over the wire: for senders that may only write(2).
struct RawNumber {
  MessageType type;
  uint32_t in_memfd;
  int number;
};
constexpr RawNumber raw_number(MessageType type, int number) { return {type, 0, number}; }
// The number of such a message. Throws Error when it is none.
int number_of(const Message& message);

// One end of the socket between launcher and hull-init (unix(7), SOCK_SEQPACKET).
class Channel {
 public:
  explicit Channel(Fd socket) : socket_(std::move(socket)) {}
  // Both ends, close-on-exec.
  static std::pair<Channel, Channel> make_pair();

  // A payload that does not fit a packet travels as a sealed memfd. Throws Error when the peer is
  // gone.
  void send(MessageType type, std::string_view payload = {}, std::span<const int> fds = {});
  // A RawNumber by plain write(2): also from under a seccomp filter.
  void send_number(MessageType type, int number);
  // Waits. Nothing when the peer has closed its end or died. Throws Error on a malformed message.
  std::optional<Message> receive();
  // Calls `call` whenever `receive` has waited for so long; what it throws ends the wait.
  void on_silence(std::chrono::milliseconds time, std::function<void()> call);
  // From now on what is received tells its writer (unix(7), SCM_CREDENTIALS).
  void ask_for_writers();
  // Says that nothing more will be sent: a peer that waits for it sees the end.
  void finish();

  [[nodiscard]] int fd() const { return socket_.get(); }
  void close() { socket_.reset(); }

 private:
  Fd socket_;
  std::function<void()> on_silence_;
};

// receive(2) on `socket` gives up with EAGAIN after this time.
void limit_wait(int socket, std::chrono::milliseconds time);

std::string encode_error(const Error& error);
// Throws Error (of its own) when the bytes are none.
Error decode_error(std::string_view bytes);

}  // namespace hull::plan

#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libruntime/system/fd.h"

namespace hull::cmd {

// sd_notify(3) across the container's border: the container gets a socket of ours, and what may
// pass is sent on to the service manager's $NOTIFY_SOCKET. The socket lies in a directory of its
// own beside the container's state, ROOT/.notify@ID ('@' is in no ID), which the container has at
// /run/notify.
class NotifyProxy {
 public:
  // Nothing when the caller has no $NOTIFY_SOCKET. Throws Error when it is no socket's address.
  static std::optional<NotifyProxy> from_environment(const std::string& root,
                                                     const std::string& id);
  // What a deleted container leaves. Nothing happens when there is none.
  static void remove(const std::string& root, const std::string& id);

  NotifyProxy(NotifyProxy&& other) noexcept
      : root_(std::move(other.root_)),
        id_(std::move(other.id_)),
        host_(std::move(other.host_)),
        directory_(std::move(other.directory_)),
        path_(std::move(other.path_)),
        socket_(std::move(other.socket_)),
        client_(std::move(other.client_)),
        owned_(std::exchange(other.owned_, false)) {}
  NotifyProxy& operator=(NotifyProxy&&) = delete;
  // Removes the directory when it was made here and is not kept.
  ~NotifyProxy();

  // For a container to be: makes the directory. Throws Error, also when the ID is taken.
  void make_directory();
  // Whether create made the directory for this container.
  [[nodiscard]] bool has_directory() const;
  // Makes the socket, anew when there is one. Throws Error.
  void bind();
  // The directory outlives this object.
  void keep() { owned_ = false; }

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return socket_.get(); }

  // Sends on what waits at the socket; never waits itself. True when READY=1 was among it. Failures
  // are logged: the container must not suffer from them.
  bool forward(pid_t main_pid);
  // For a container that is left alone: forwards until it says READY=1 (then the service manager
  // has time to take notice, up to `barrier`) or its init ends.
  void forward_until_ready(int pidfd, pid_t main_pid,
                           std::chrono::milliseconds barrier = std::chrono::seconds(30));

 private:
  NotifyProxy(std::string root, std::string id, std::string host);
  bool forward_one(pid_t main_pid, bool& ready);
  void send(std::string_view message, int fd) const;
  void wait_for_barrier(std::chrono::milliseconds limit) const;

  std::string root_, id_, host_, directory_, path_;
  Fd socket_;
  Fd client_;
  bool owned_ = false;
};

// What of a container's message may pass: lines of states that concern the service itself. PIDs
// (they are another namespace's), descriptors to store and rights to notify are left out. `ready`
// is set when READY=1 is among them; then MAINPID is added.
std::string filter_notification(std::string_view message, pid_t main_pid, bool& ready);

}  // namespace hull::cmd

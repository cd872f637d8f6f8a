#pragma once

#include <sys/types.h>

#include <array>
#include <functional>
#include <string>
#include <vector>

#include "libruntime/cgroups/manager.h"
#include "libruntime/checkpoint/rpc.h"
#include "libruntime/system/fd.h"

namespace hull::checkpoint {

// CRIU may be of any version from this on; VERSION requests came with it.
inline constexpr int kOldestCriu = 3'00'00;

// A mount that only CRIU's own mount namespace has: the container's root file system on a directory
// where CRIU may work on it (it wants a mount point whose parent is not covered).
struct WorkRoot {
  std::string source;
  std::string target;
  std::string
      parent_mount;  // the mount point of what `target` lies on: nothing goes back to the host
};

// How CRIU comes into the world.
struct CriuBirth {
  std::array<int, 3> streams{-1, -1, -1};       // become 0, 1, 2; -1: /dev/null
  std::vector<int> descriptors;                 // become kFirstDescriptor and so on
  const cgroups::Entrance* entrance = nullptr;  // of the cgroup that it is to be in
  const WorkRoot* root = nullptr;
};
inline constexpr int kFirstDescriptor = 4;  // after stdio and the RPC socket

// `criu swrk`: a CRIU that serves one socket, and what is said on it.
class Criu {
 public:
  // Searches criu in PATH. Throws Error.
  explicit Criu(const CriuBirth& birth);
  // Ends it when it still runs.
  ~Criu();
  Criu(const Criu&) = delete;
  Criu& operator=(const Criu&) = delete;

  int version();
  // Those of `wanted` that this CRIU and kernel have.
  Features features(const Features& wanted);

  // Answers a notification; may throw, which makes CRIU give up and take back what it did. `fd` is
  // what came along.
  using Listener = std::function<void(const Notification&, Fd fd)>;
  // A dump or restore from beginning to end. Throws what the listener threw; a response without
  // success is returned.
  Response run(RequestType type, const RpcOptions& options, const Listener& listener);
  // After run(): closes the socket and waits for the process. False when it failed.
  bool end();

  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  void send(const std::string& packet) const;
  Response receive(Fd* fd = nullptr) const;
  Response ask(const std::string& packet, RequestType type) const;

  Fd socket_;
  pid_t pid_ = -1;
};

}  // namespace hull::checkpoint

#include "libruntime/rootfs/idmap.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <string>

#include "libruntime/system/error.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"
#include "libruntime/system/syscalls.h"

namespace hull::rootfs {
namespace {

// A process in a user namespace of its own that waits to be killed.
class Holder {
 public:
  Holder() {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) throw Error("cannot make a pipe", "pipe2", errno);
    const Fd read_end(ends[0]);
    const Fd write_end(ends[1]);
    clone_args args{};
    // The descriptors are shared: only the child can name itself in whatever PID namespace /proc is
    // of.
    args.flags = CLONE_NEWUSER | CLONE_FILES;
    pid_ = sys::clone3(&args);
    if (pid_ == 0) hold(write_end.get());
    if (pid_ < 0)
      throw Error("cannot make a user namespace for an idmapped mount", "clone3", errno);
    int fd = -1;
    const ssize_t got = read(read_end.get(), &fd, sizeof fd);
    if (got == sizeof fd && fd >= 0) directory_.reset(fd);
  }
  ~Holder() {
    kill(pid_, SIGKILL);
    while (waitpid(pid_, nullptr, __WALL) < 0 && errno == EINTR) {
    }
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

  // /proc/[pid] of it.
  [[nodiscard]] int directory() const {
    if (!directory_) throw Error("cannot open /proc/self of a helper process");
    return directory_.get();
  }

 private:
  [[noreturn]] static void hold(int pipe) {
    const int fd = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (write(pipe, &fd, sizeof fd) != sizeof fd) _exit(1);
    for (;;) pause();
  }

  pid_t pid_ = -1;
  Fd directory_;
};

std::string lines_of(const std::vector<configs::IdMap>& maps) {
  std::string out;
  for (const configs::IdMap& map : maps)
    out += std::to_string(map.container_id) + ' ' + std::to_string(map.host_id) + ' ' +
           std::to_string(map.size) + '\n';
  return out;
}

}  // namespace

void map_ids(int mount, const std::vector<configs::IdMap>& uids,
             const std::vector<configs::IdMap>& gids, bool recursive) {
  const Holder holder;
  write_existing_at(holder.directory(), "uid_map", lines_of(uids));
  write_existing_at(holder.directory(), "gid_map", lines_of(gids));
  const Fd userns = open_or_throw(holder.directory(), "ns/user", O_RDONLY);
  mount_attr attr{};
  attr.attr_set = MOUNT_ATTR_IDMAP;
  attr.userns_fd = static_cast<uint64_t>(userns.get());
  if (sys::mount_setattr(mount, "", AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U), attr) != 0)
    throw Error("cannot make it an idmapped mount", "mount_setattr", errno)
        .hint(errno == EINVAL ? "the file system of the source does not support idmapped mounts"
                              : "this needs CAP_SYS_ADMIN over the source's file system");
}

}  // namespace hull::rootfs

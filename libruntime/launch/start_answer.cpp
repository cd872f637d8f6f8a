#include "libruntime/launch/start_answer.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "libruntime/launch/conversation.h"
#include "libruntime/plan/channel.h"
#include "libruntime/system/error.h"

namespace hull::launch {
namespace {

constexpr int kPatience = 250;  // ms

// Reads what hull-init (or runc's) answers in exec.fifo: one byte when it goes on, then, from
// hull-init, an error or the end that a successful execve makes.
class StartAnswer {
 public:
  StartAnswer(const state::Directory& directory, const Fd& init, pid_t init_pid)
      : directory_(directory),
        init_(init),
        init_pid_(init_pid),
        fifo_(openat(directory.fd(), "exec.fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC)) {
    if (!fifo_) throw Error("cannot open exec.fifo", "open", errno);
  }

  void wait(const std::function<void()>& on_silence) {
    while (!finished_) {
      pollfd watch[] = {{fifo_.get(), POLLIN, 0}, {init_.get(), POLLIN, 0}};
      const int ready = poll(watch, 2, kPatience);
      if (ready == 0) on_silence();
      if (ready < 0) {
        if (errno == EINTR) continue;
        throw Error("cannot wait for the container's init", "poll", errno);
      }
      const bool init_ended = watch[1].revents != 0;
      if (watch[0].revents != 0 || init_ended) read_some(init_ended);
    }
    if (answer_.empty())
      throw Error("cannot start a container that has stopped")
          .kind(ErrorKind::container_not_running);
    if (answer_.size() > 1) throw plan::decode_error(std::string_view(answer_).substr(1));
    if (died_before_execve(init_pid_, init_))
      throw Error("the container's init died before it could execute the program");
  }

 private:
  void read_some(bool init_ended) {
    char buffer[4096];
    const ssize_t got = read(fifo_.get(), buffer, sizeof buffer);
    if (got > 0) {
      // From here on the container is no longer "created".
      if (answer_.empty()) unlinkat(directory_.fd(), "exec.fifo", 0);
      answer_.append(buffer, static_cast<size_t>(got));
      return;
    }
    if (got < 0 && errno == EINTR) return;
    if (got < 0 && errno != EAGAIN) throw Error("cannot read exec.fifo", "read", errno);
    // No writer: it has not opened the fifo yet, or has closed it after its byte, or is dead.
    finished_ = got == 0 ? (!answer_.empty() || init_ended) : init_ended;
  }

  const state::Directory& directory_;
  const Fd& init_;
  pid_t init_pid_;
  Fd fifo_;
  std::string answer_;
  bool finished_ = false;
};

}  // namespace

void let_go(const state::Directory& directory, const Fd& init, pid_t init_pid,
            const std::function<void()>& on_silence) {
  StartAnswer(directory, init, init_pid).wait(on_silence);
}

}  // namespace hull::launch

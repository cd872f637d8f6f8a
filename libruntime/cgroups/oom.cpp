#include "libruntime/cgroups/oom.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/event_control.h"
#include "libruntime/cgroups/stat_files.h"
#include "libruntime/cgroups/subdirectories.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kKills = "oom_kill";

// Takes all that an eventfd, timerfd or inotify descriptor (all non-blocking) has; the first
// number of it.
uint64_t drain(const Fd& fd) {
  std::array<uint64_t, 512> buffer{};
  uint64_t first = 0;
  ssize_t got = 0;
  do {
    got = read(fd.get(), buffer.data(), sizeof buffer);
    if (got > 0 && first == 0) first = buffer[0];
  } while (got > 0 || (got < 0 && errno == EINTR));
  return first;
}

void watch(const Fd& epoll, const Fd& fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  if (epoll_ctl(epoll.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0)
    throw Error("cannot watch for lack of memory", "epoll_ctl", errno);
}

Fd made(int fd, const char* call) {
  if (fd < 0) throw Error("cannot watch for lack of memory", call, errno);
  return Fd(fd);
}

}  // namespace

class OomWatch::Source {
 public:
  Source() : epoll_(made(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;
  virtual uint64_t take() = 0;
  [[nodiscard]] int fd() const { return epoll_.get(); }

 protected:
  Fd epoll_;
};

namespace {

// memory.oom_control counts the kills of its own cgroup only, so those below are asked as well. The
// eventfd tells of all, a moment before the kill: when the count has not moved yet, it is read
// again a little later.
class V1Source final : public OomWatch::Source {
 public:
  explicit V1Source(std::string dir)
      : dir_(std::move(dir)),
        event_(register_event(dir_, "memory.oom_control", "")),
        timer_(
            made(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), "timerfd_create")) {
    watch(epoll_, event_);
    watch(epoll_, timer_);
    count();
  }

  uint64_t take() override {
    drain(timer_);
    const uint64_t signals = drain(event_);
    if (signals != 0) tries_ = kTries;
    waiting_ += signals;
    if (waiting_ == 0) return count().value_or(0);
    const auto kills = count();
    // The removal of the cgroup is a signal as well, the last one.
    if (!kills) return std::exchange(waiting_, 0) - (signals != 0 ? 1 : 0);
    if (*kills == 0 && tries_-- > 0) {
      ask_again();
      return 0;
    }
    const uint64_t waiting = std::exchange(waiting_, 0);
    return kill_disabled_ || !counts_ ? waiting : *kills;
  }

 private:
  static constexpr int kTries = 100;

  void ask_again() const {
    itimerspec soon{};
    soon.it_value.tv_nsec = 10'000'000;
    if (timerfd_settime(timer_.get(), 0, &soon, nullptr) != 0)
      throw Error("cannot watch for lack of memory", "timerfd_settime", errno);
  }

  // The kills since the last call; nothing when the cgroup is gone.
  std::optional<uint64_t> count() {
    const std::string text = read_stat_file(dir_, "memory.oom_control");
    if (text.empty()) return std::nullopt;
    const auto control = parse_flat(text);
    counts_ = control.contains(std::string(kKills));
    kill_disabled_ = value_of(control, "oom_kill_disable") != 0;
    if (kill_disabled_ || !counts_) tries_ = 0;
    return counts_ ? count_below(dir_, value_of(control, std::string(kKills))) : 0;
  }

  uint64_t count_below(const std::string& dir, uint64_t kills) {
    uint64_t& known = known_[dir];
    uint64_t news = kills > known ? kills - known : 0;
    known = kills;
    for (const std::string& name : subdirectories(dir)) {
      const std::string below = dir + "/" + name;
      const auto control = parse_flat(read_stat_file(below, "memory.oom_control"));
      news += count_below(below, value_of(control, std::string(kKills)));
    }
    return news;
  }

  std::string dir_;
  Fd event_;
  Fd timer_;
  std::map<std::string, uint64_t> known_;
  uint64_t waiting_ = 0;  // signals whose kill is not counted yet
  int tries_ = 0;
  bool counts_ = false;  // since Linux 4.13
  bool kill_disabled_ = false;
};

// memory.events counts the kills in all of the cgroup's tree.
class V2Source final : public OomWatch::Source {
 public:
  explicit V2Source(const std::string& dir)
      : dir_(dir), inotify_(made(inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "inotify_init1")) {
    const std::string path = dir + "/memory.events";
    if (inotify_add_watch(inotify_.get(), path.c_str(), IN_MODIFY) < 0)
      throw Error("cannot watch " + quote(path), "inotify_add_watch", errno);
    watch(epoll_, inotify_);
    known_ = kills();
  }

  uint64_t take() override {
    drain(inotify_);
    const uint64_t now = kills();
    const uint64_t news = now > known_ ? now - known_ : 0;
    known_ = std::max(known_, now);
    return news;
  }

 private:
  [[nodiscard]] uint64_t kills() const {
    return value_of(parse_flat(read_stat_file(dir_, "memory.events")), std::string(kKills));
  }
  std::string dir_;
  Fd inotify_;
  uint64_t known_ = 0;
};

}  // namespace

OomWatch::OomWatch(const std::map<std::string, std::string>& paths) {
  if (const auto v1 = paths.find("memory"); v1 != paths.end()) {
    source_ = std::make_unique<V1Source>(v1->second);
  } else if (const auto v2 = paths.find(""); v2 != paths.end()) {
    source_ = std::make_unique<V2Source>(v2->second);
  } else {
    throw Error("cannot watch for lack of memory: the container has no memory cgroup");
  }
}

OomWatch::~OomWatch() = default;
OomWatch::OomWatch(OomWatch&&) noexcept = default;
OomWatch& OomWatch::operator=(OomWatch&&) noexcept = default;

int OomWatch::fd() const { return source_->fd(); }
uint64_t OomWatch::take() { return source_->take(); }

}  // namespace hull::cgroups

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "cmd/hull/command.h"
#include "cmd/hull/duration.h"
#include "cmd/hull/json_text.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::cmd {
namespace {

using Clock = std::chrono::steady_clock;

constexpr Option kOptions[] = {
    {"interval", "", OptionKind::text, "set the stats collection interval", "5s"},
    {"stats", "", OptionKind::flag, "display the container's stats then exit"},
};

Clock::duration interval_of(const Options& options) {
  const std::string text = options.text("interval");
  const auto interval = parse_duration(text);
  if (!interval) throw Error("invalid value for --interval: " + quote(text));
  if (interval->count() <= 0) throw Error("duration interval must be greater than 0");
  return *interval;
}

void print_event(std::string_view type, const std::string& id, const std::string& data = "") {
  std::string line = R"({"type":")" + std::string(type) + R"(","id":)" + json_quoted(id);
  if (!data.empty()) line += ",\"data\":" + data;
  print(line + "}\n");
}

void print_stats(const Container& container) {
  print_event("stats", container.id(), stats_json(container.stats()));
}

// One line a kill, and the statistics at every tick, until the container ends.
class Stream {
 public:
  Stream(const Container& container, Clock::duration interval)
      : container_(container),
        init_(container.open_init()),
        interval_(interval),
        next_(Clock::now() + interval) {
    try {
      oom_.emplace(container.notify_oom());
    } catch (const Error& e) {
      log::warning(std::string("no event tells of a lack of memory: ") + e.what());
    }
  }

  void run() {
    bool ended = !init_;
    while (!ended) {
      ended = wait();
      for (uint64_t kills = oom_ ? oom_->take() : 0; kills > 0; --kills)
        print_event("oom", container_.id());
      if (!ended && Clock::now() >= next_) tick();
    }
  }

 private:
  // True when the container ended.
  bool wait() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now()).count();
    pollfd watched[] = {{init_.get(), POLLIN, 0}, {oom_ ? oom_->fd() : -1, POLLIN, 0}};
    const int timeout = static_cast<int>(std::clamp<int64_t>(left, 0, INT_MAX));
    if (poll(watched, 2, timeout) < 0 && errno != EINTR)
      throw Error("cannot wait for the container", "poll", errno);
    return watched[0].revents != 0;
  }

  void tick() {
    try {
      print_stats(container_);
    } catch (const Error& e) {
      log::error(e.what());
    }
    next_ += interval_;
    // After a pause of ours not all that was missed.
    if (next_ < Clock::now()) next_ = Clock::now() + interval_;
  }

  const Container& container_;
  Fd init_;
  std::optional<OomWatch> oom_;
  Clock::duration interval_;
  Clock::time_point next_;
};

int events(const Context& context) {
  const Clock::duration interval = interval_of(context.options);
  const Container container = Factory(context.globals.root).load(context.id());
  if (container.status() == Status::stopped)
    throw Error("container with id " + context.id() + " is not running");
  if (context.options.flag("stats")) {
    print_stats(container);
  } else {
    Stream(container, interval).run();
  }
  return 0;
}

}  // namespace

extern constexpr Command events_command{
    "events",
    "display container events such as OOM notifications, cpu, memory, and IO usage statistics",
    "<container-id>",
    "Prints a line of JSON with the statistics of a container every 5 seconds, and one for each\n"
    "process of it that is killed for lack of memory, until the container ends.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    events};

}  // namespace hull::cmd

#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "libruntime/cgroups/manager.h"
#include "libruntime/container.h"
#include "libruntime/state/state.h"

namespace hull {

std::unique_ptr<cgroups::Manager> manager_of(const State& state);
Error not_running(std::string text = "container not running");

class Container::Impl {
 public:
  Impl(state::Directory its_directory, State its_state, bool was_launched)
      : directory(std::move(its_directory)),
        launched(was_launched),
        state_(std::make_shared<const State>(std::move(its_state))) {}

  // Alone among threads and processes, until release() or the end of the scope.
  class Exclusive {
   public:
    explicit Exclusive(Impl& impl);
    ~Exclusive() { release(); }
    Exclusive(const Exclusive&) = delete;
    Exclusive& operator=(const Exclusive&) = delete;
    void release();

   private:
    Impl* impl_;
    std::unique_lock<std::mutex> thread_;
  };

  [[nodiscard]] std::shared_ptr<const State> state() const {
    const std::lock_guard guard(reading_);
    return state_;
  }
  void put(State state) {
    auto next = std::make_shared<const State>(std::move(state));
    const std::lock_guard guard(reading_);
    state_ = std::move(next);
  }

  // The first process makes the container, those after it join.
  void begin(const Process& process, Started& started, bool now);
  void launch_first(Exclusive& exclusive, const Process& process, Started& started, bool now);
  void launch(Exclusive& exclusive, const configs::Process* process, const LaunchOptions& options,
              Started& started, bool now);
  // By what `how` does, with all that is due when it throws.
  void make(Started& started, const std::function<void(State& state)>& how);
  void join(const Process& process, Started& started);
  void destroy(bool force);
  void destroy_after_failure();

  state::Directory directory;
  std::mutex changing;         // among this program's threads, as the directory's lock among all
  std::atomic<bool> launched;  // false: the ID is only claimed
  std::atomic<bool> gone{false};

 private:
  mutable std::mutex reading_;
  std::shared_ptr<const State> state_;
};

}  // namespace hull

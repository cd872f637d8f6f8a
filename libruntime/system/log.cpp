#include "libruntime/system/log.h"

#include <atomic>

namespace hull::log {
namespace {

std::atomic<Sink> sink_{nullptr};
std::atomic<Level> level_{Level::info};

}  // namespace

void set_sink(Sink sink) noexcept { sink_ = sink; }
void set_level(Level level) noexcept { level_ = level; }
bool enabled(Level level) noexcept { return level >= level_ && sink_ != nullptr; }

void write(Level level, std::string_view message) {
  if (enabled(level)) sink_.load()(level, message);
}

}  // namespace hull::log

#pragma once

#include <string>
#include <string_view>

namespace hull::log {

enum class Level { debug, info, warning, error };

// Where log lines go. Set once by the program (the CLI's logger, hull-init's channel); none drops
// them.
using Sink = void (*)(Level level, std::string_view message);
void set_sink(Sink sink) noexcept;
// Lines below this level are dropped before they are built. Default: info.
void set_level(Level level) noexcept;
bool enabled(Level level) noexcept;

void write(Level level, std::string_view message);
inline void debug(std::string_view message) { write(Level::debug, message); }
inline void info(std::string_view message) { write(Level::info, message); }
inline void warning(std::string_view message) { write(Level::warning, message); }
inline void error(std::string_view message) { write(Level::error, message); }

}  // namespace hull::log

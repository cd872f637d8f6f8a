#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace hull::cmd {

// Go's time.ParseDuration: "5s", "1m30s", "1.5h", "-100ms", "0". Nothing for any other text and for
// what nanoseconds in 64 bits can't hold.
std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text);

}  // namespace hull::cmd

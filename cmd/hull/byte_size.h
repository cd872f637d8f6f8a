#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hull::cmd {

// Bytes as docker and runc write them (go-units RAMInBytes): "512m", "1.5g", "64kib", "1024"; a
// kilobyte is 1024. -1 is "no limit". Nothing when it makes no sense or does not fit.
std::optional<int64_t> parse_byte_size(std::string_view text);

}  // namespace hull::cmd

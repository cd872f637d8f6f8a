#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace hull {

// Above this no kernel has CPUs or memory nodes (NR_CPUS is 8192 at most).
inline constexpr unsigned kMaxListed = 65535;

// A list such as "0-3,7" (cpuset(7)) as a bit mask, 64 numbers a word. Blanks around entries and
// empty entries are skipped. Nothing when it is no such list, or has a number above kMaxListed.
std::optional<std::vector<uint64_t>> parse_number_list(std::string_view text);

}  // namespace hull

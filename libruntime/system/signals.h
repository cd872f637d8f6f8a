#pragma once

#include <optional>
#include <string_view>

namespace hull {

// A signal by number ("9"), name ("KILL") or full name ("SIGKILL"), in any case; also "RTMIN+1".
// Nothing when there is no such signal. 0 is not accepted by name but by number.
std::optional<int> parse_signal(std::string_view text);

// "SIGKILL"; empty for a number without a name.
std::string_view signal_name(int signal);

}  // namespace hull

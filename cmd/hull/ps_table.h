#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace hull::cmd {

// Of the output of ps(1): the title, and the lines whose PID column is one of `pids`. Throws Error
// when there is no column of that name or a line has no number there.
std::string lines_of_pids(std::string_view output, const std::vector<pid_t>& pids);

}  // namespace hull::cmd

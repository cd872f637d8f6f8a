#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hull {

// What /proc/[pid]/stat says (proc(5)).
struct ProcessStat {
  pid_t pid = 0;
  std::string name;  // of the program, 15 bytes at most
  char state = '?';  // R, S, D, Z (zombie), X or x (dead), ...
  pid_t parent = 0;
  uint64_t start_time = 0;  // clock ticks since boot: with the pid it names one process for ever

  [[nodiscard]] bool dead() const { return state == 'Z' || state == 'X' || state == 'x'; }
};

// Nothing when the text is not a stat line. The command name may hold spaces and parentheses.
std::optional<ProcessStat> parse_process_stat(std::string_view text);

// Nothing when no such process exists. Throws Error when the file can't be read for another reason.
std::optional<ProcessStat> read_process_stat(pid_t pid);

// How the process of a pidfd ended, as of waitpid(2), when somebody has reaped it already; it need
// not have been a child. Nothing before that, and before Linux 6.15.
std::optional<int> reaped_status(int pidfd);

}  // namespace hull

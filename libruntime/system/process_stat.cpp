#include "libruntime/system/process_stat.h"

#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull {

std::optional<ProcessStat> parse_process_stat(std::string_view text) {
  const size_t open = text.find(" (");
  const size_t close = text.rfind(") ");
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    return std::nullopt;
  const auto pid = parse_number<pid_t>(text.substr(0, open));
  const auto rest = split(trim(text.substr(close + 2)), ' ');
  // proc(5): field 3 is the state, 4 the parent, 22 the start time.
  if (!pid || rest.size() < 20 || rest[0].size() != 1) return std::nullopt;
  const auto parent = parse_number<pid_t>(rest[1]);
  const auto start = parse_number<uint64_t>(rest[19]);
  if (!parent || !start) return std::nullopt;
  return ProcessStat{*pid, std::string(text.substr(open + 2, close - open - 2)), rest[0][0],
                     *parent, *start};
}

std::optional<ProcessStat> read_process_stat(pid_t pid) {
  if (pid <= 0) return std::nullopt;
  const auto text = read_value_if_exists("/proc/" + std::to_string(pid) + "/stat");
  return text ? parse_process_stat(*text) : std::nullopt;
}

}  // namespace hull

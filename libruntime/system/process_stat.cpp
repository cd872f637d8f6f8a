#include "libruntime/system/process_stat.h"

#include <sys/ioctl.h>

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

std::optional<int> reaped_status(int pidfd) {
  // struct pidfd_info of <linux/pidfd.h>, which Debian 12 lacks.
  struct {
    uint64_t mask = uint64_t{1} << 3;  // PIDFD_INFO_EXIT
    uint64_t cgroup = 0;
    uint32_t ids[11] = {};
    int32_t exit_code = 0;
  } info;
  static_assert(sizeof info == 64);
  constexpr unsigned long kGetInfo = _IOWR(0xff, 11, decltype(info));
  const uint64_t asked = info.mask;
  if (ioctl(pidfd, kGetInfo, &info) != 0 || (info.mask & asked) == 0) return std::nullopt;
  return info.exit_code;
}

}  // namespace hull

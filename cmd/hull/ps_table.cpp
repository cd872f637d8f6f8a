#include "cmd/hull/ps_table.h"

#include <algorithm>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out;
  constexpr std::string_view kBlank = " \t\r\v\f";
  for (size_t start = 0; (start = line.find_first_not_of(kBlank, start)) != line.npos;) {
    const size_t end = std::min(line.find_first_of(kBlank, start), line.size());
    out.push_back(line.substr(start, end - start));
    start = end;
  }
  return out;
}

}  // namespace

std::string lines_of_pids(std::string_view output, const std::vector<pid_t>& pids) {
  const std::vector<std::string_view> lines = split(output, '\n');
  const std::vector<std::string_view> titles = words(lines.at(0));
  const auto column =
      static_cast<size_t>(std::find(titles.begin(), titles.end(), "PID") - titles.begin());
  if (column == titles.size()) throw Error("couldn't find PID field in ps output");

  std::string out = std::string(lines[0]) + "\n";
  for (size_t i = 1; i < lines.size(); ++i) {
    const std::vector<std::string_view> cells = words(lines[i]);
    if (cells.empty()) continue;
    const auto pid = column < cells.size() ? parse_number<pid_t>(cells[column]) : std::nullopt;
    if (!pid) throw Error("unable to parse pid in a line of ps: " + quote(lines[i]));
    if (std::find(pids.begin(), pids.end(), *pid) != pids.end()) out.append(lines[i]).append("\n");
  }
  return out;
}

}  // namespace hull::cmd

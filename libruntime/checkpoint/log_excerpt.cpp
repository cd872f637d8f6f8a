#include "libruntime/checkpoint/log_excerpt.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::checkpoint {
namespace {

constexpr size_t kLines = 6;
constexpr size_t kMaxLine = 400;
constexpr size_t kMaxLog = size_t{256} << 20;

std::optional<std::string> read_log(const std::string& path) {
  try {
    return read_file_if_exists(path, kMaxLog);
  } catch (const Error&) {
    return std::nullopt;  // the failure itself is what has to be told
  }
}

}  // namespace

std::string error_lines(std::string_view log) {
  std::vector<std::string_view> lines;
  for (const std::string_view line : split(log, '\n'))
    if (line.find("Error (") != std::string_view::npos) lines.push_back(trim(line));
  std::string out;
  for (size_t i = lines.size() - std::min(lines.size(), kLines); i < lines.size(); ++i) {
    if (!out.empty()) out += "; ";
    out += lines[i].substr(0, kMaxLine);
  }
  return out;
}

Error failure(RequestType type, const Response& response, const std::string& log_path) {
  const auto log = read_log(log_path);
  std::string lines = log ? error_lines(*log) : "";
  if (lines.empty()) lines = trim(response.message);
  Error out("criu failed: type " + name_of(type) + " errno " + std::to_string(response.code) +
            (lines.empty() ? "" : ": " + lines));
  out.set_hint(log ? "the whole log is " + log_path : "criu wrote no log");
  return out;
}

}  // namespace hull::checkpoint

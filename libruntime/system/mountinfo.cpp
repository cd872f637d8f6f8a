#include "libruntime/system/mountinfo.h"

#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull {
namespace {

// The kernel writes space, tab, newline and backslash as \ooo.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 3 < text.size()) {
      if (const auto value = parse_number<unsigned char>(text.substr(i + 1, 3), 8)) {
        out += static_cast<char>(*value);
        i += 3;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

bool parse_line(std::string_view line, MountInfo& out) {
  const auto parts = split(line, ' ');
  size_t dash = 6;
  while (dash < parts.size() && parts[dash] != "-") ++dash;
  if (dash + 3 >= parts.size()) return false;
  const auto id = parse_number<int>(parts[0]);
  const auto parent = parse_number<int>(parts[1]);
  if (!id || !parent) return false;
  out.id = *id;
  out.parent = *parent;
  out.device = parts[2];
  out.root = unescape(parts[3]);
  out.mount_point = unescape(parts[4]);
  out.options = parts[5];
  for (size_t i = 6; i < dash; ++i) {
    if (!out.propagation.empty()) out.propagation += ' ';
    out.propagation += parts[i];
  }
  out.fs_type = parts[dash + 1];
  out.source = unescape(parts[dash + 2]);
  out.super_options = parts[dash + 3];
  return true;
}

}  // namespace

std::vector<MountInfo> parse_mountinfo(std::string_view text) {
  std::vector<MountInfo> out;
  for (const std::string_view line : split(text, '\n')) {
    MountInfo entry;
    if (parse_line(line, entry)) out.push_back(std::move(entry));
  }
  return out;
}

std::vector<MountInfo> read_mountinfo() {
  return parse_mountinfo(read_file("/proc/self/mountinfo"));
}

bool has_option(std::string_view list, std::string_view option) {
  for (const std::string_view one : split(list, ','))
    if (one == option) return true;
  return false;
}

}  // namespace hull

#include "libruntime/cgroups/limit_files.h"

#include <algorithm>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

// The files with one line for each device, and what takes a device's line away.
struct DeviceFile {
  std::string_view name;
  std::string_view none;
};
constexpr DeviceFile kDeviceFiles[] = {
    {"io.max", "rbps=max wbps=max riops=max wiops=max"},
    {"io.latency", "target=max"},
    {"io.weight", "default"},
    {"io.bfq.weight", "default"},
    {"blkio.weight_device", "0"},
    {"blkio.leaf_weight_device", "0"},
    {"blkio.bfq.weight_device", "default"},
    {"blkio.throttle.read_bps_device", "0"},
    {"blkio.throttle.write_bps_device", "0"},
    {"blkio.throttle.read_iops_device", "0"},
    {"blkio.throttle.write_iops_device", "0"},
};

std::string_view first_word(std::string_view line) { return line.substr(0, line.find(' ')); }

std::string line_of(std::string_view content, std::string_view key) {
  for (const std::string_view line : split(content, '\n'))
    if (first_word(line) == key) return std::string(line);
  return "";
}

}  // namespace

std::string former_line(std::string_view file, std::string_view content, std::string_view value) {
  content = trim(content);
  const auto* device_file = std::ranges::find(kDeviceFiles, file, &DeviceFile::name);
  const bool of_devices = device_file != std::end(kDeviceFiles);
  const bool keyed = of_devices || content.find('\n') != std::string_view::npos;
  // An empty line is the default of cpuset.cpus and the like.
  if (!keyed) return content.empty() ? "\n" : std::string(content);
  const std::string_view key = first_word(value);
  // "default 100" of io.weight, "oom_kill_disable 0": written without its name.
  if (key == value) {
    const std::string_view line = content.substr(0, content.find('\n'));
    return std::string(line.substr(line.rfind(' ') + 1));
  }
  if (std::string line = line_of(content, key); !line.empty()) return line;
  return of_devices ? std::string(key) + " " + std::string(device_file->none) : "";
}

void FormerLimits::remember(const std::string& dir, std::string_view file, std::string_view value) {
  std::optional<std::string> content;
  try {
    content = read_file_if_exists(dir + "/" + std::string(file));
  } catch (const Error&) {
    return;  // one that can only be written (cgroup.kill) has no former value
  }
  if (!content) return;
  std::string line = former_line(file, *content, value);
  if (!line.empty()) entries_.push_back({dir, std::string(file), std::move(line)});
}

void FormerLimits::restore() const {
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry)
    if (const int code = cgroups::try_write(entry->dir, entry->file, entry->line))
      log::warning("the former limit " + quote(entry->line) + " could not be put back into " +
                   quote(entry->dir + "/" + entry->file) + ": " + errno_text(code));
}

void LimitFiles::remember(std::string_view file) const {
  if (former_ != nullptr) former_->remember(dir_, file, "");
}

int LimitFiles::try_write(std::string_view file, std::string_view value) const {
  if (former_ != nullptr) former_->remember(dir_, file, value);
  return cgroups::try_write(dir_, file, value);
}

void LimitFiles::write(std::string_view file, std::string_view value,
                       std::string_view field) const {
  if (const int code = try_write(file, value)) throw_error(file, value, field, code);
}

}  // namespace hull::cgroups

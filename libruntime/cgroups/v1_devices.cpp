#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/device_rules.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kField = "/linux/resources/devices";
constexpr std::array<std::string_view, 2> kFiles{"devices.deny", "devices.allow"};

[[noreturn]] void throw_rule_error(const std::string& dir, const DeviceWrite& write, int code) {
  Error error("cannot write device rule " + quote(write.line) + " to " +
                  quote(dir + "/" + std::string(kFiles[write.allow ? 1 : 0])),
              "write", code);
  error.set_field(kField);
  if (code == EPERM && write.allow)
    error.set_hint("a cgroup can't allow a device that its parent denies");
  if (code == EINVAL && write.line == "a")
    error.set_hint("the default can't be changed while there are sub-cgroups");
  throw error;
}

// The kernel takes one rule a write; each of the two files is opened once.
void write_rules(const std::string& dir, const std::vector<DeviceWrite>& writes) {
  std::array<Fd, 2> files;
  for (const DeviceWrite& one : writes) {
    Fd& file = files[one.allow ? 1 : 0];
    if (!file)
      file.reset(
          open((dir + "/" + std::string(kFiles[one.allow ? 1 : 0])).c_str(), O_WRONLY | O_CLOEXEC));
    if (!file) throw_rule_error(dir, one, errno);
    ssize_t wrote = 0;
    do {
      wrote = write(file.get(), one.line.data(), one.line.size());
    } while (wrote < 0 && errno == EINTR);
    if (wrote < 0) throw_rule_error(dir, one, errno);
    if (static_cast<size_t>(wrote) != one.line.size()) throw_rule_error(dir, one, EIO);
  }
}

}  // namespace

void set_v1_devices(const std::string& dir, const std::vector<configs::DeviceRule>& rules,
                    bool fresh) {
  const DeviceList target = device_list(rules);
  if (fresh) return write_rules(dir, device_writes(target));
  const DeviceList current = parse_device_list(read_file(dir + "/devices.list"));
  write_rules(dir, device_transition(current, target));
}

}  // namespace hull::cgroups

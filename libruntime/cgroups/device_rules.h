#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"

// The meaning of a list of device rules. In both versions of cgroups: without any rule everything
// is denied, and for each of r, w and m the last rule that names it and the device decides
// (config-linux.md, "in the listed order").
namespace hull::cgroups {

// Bits of a device access, those of the kernel's BPF_DEVCG_ACC_*.
inline constexpr unsigned kDeviceMknod = 1;
inline constexpr unsigned kDeviceRead = 2;
inline constexpr unsigned kDeviceWrite = 4;
inline constexpr unsigned kDeviceAll = 7;

// "rwm" as bits. Letters that are none of these count for nothing: configs are validated.
unsigned device_bits(std::string_view permissions);

// Devices of one type; -1 is any number.
struct DeviceException {
  char type = 'c';  // 'b' or 'c'
  int64_t major = -1;
  int64_t minor = -1;
  unsigned bits = 0;
  bool operator==(const DeviceException&) const = default;
};

// A list of rules brought into the form that cgroup v1 knows: a default and exceptions from it.
struct DeviceList {
  bool allow_by_default = false;
  std::vector<DeviceException> exceptions;  // one for each type, major and minor
};

// Throws Error when a rule takes a part out of an earlier, wider one ("allow c 1:*, deny c 1:3"):
// v1 can't say that and would silently ignore it.
DeviceList device_list(const std::vector<configs::DeviceRule>& rules);
// The content of devices.list.
DeviceList parse_device_list(std::string_view text);

// Whether the rules deny nothing, so that no filter is needed.
bool allows_everything(const std::vector<configs::DeviceRule>& rules);
// Whether the rule speaks about each and every access: all before it is without effect.
bool is_reset(const configs::DeviceRule& rule);

// One write to devices.allow or devices.deny.
struct DeviceWrite {
  bool allow = false;
  std::string line;  // "c 1:3 rwm", "a"
};
// From nothing known to `target`: forgets what is there first.
std::vector<DeviceWrite> device_writes(const DeviceList& target);
// From `current` to `target`, changing no device that both agree on: for a cgroup that is in use.
std::vector<DeviceWrite> device_transition(const DeviceList& current, const DeviceList& target);

// Makes the devices.list of a v1 cgroup that of `rules`; `fresh` when this process made the
// directory. Throws Error.
void set_v1_devices(const std::string& dir, const std::vector<configs::DeviceRule>& rules,
                    bool fresh);

}  // namespace hull::cgroups

#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "libruntime/configs/config.h"

// What every container may use (config-linux.md#default-devices), as runc has it and in its order.
namespace hull::configs {

struct DefaultDevice {
  std::string_view path;  // empty: a rule without a node
  char type;
  int64_t major;
  int64_t minor;  // -1: any
  std::string_view access;
};

inline constexpr std::array kDefaultDevices{
    // Making a node is harmless as long as it can't be opened.
    DefaultDevice{"", 'c', -1, -1, "m"},          DefaultDevice{"", 'b', -1, -1, "m"},
    DefaultDevice{"/dev/null", 'c', 1, 3, "rwm"}, DefaultDevice{"/dev/random", 'c', 1, 8, "rwm"},
    DefaultDevice{"/dev/full", 'c', 1, 7, "rwm"}, DefaultDevice{"/dev/tty", 'c', 5, 0, "rwm"},
    DefaultDevice{"/dev/zero", 'c', 1, 5, "rwm"}, DefaultDevice{"/dev/urandom", 'c', 1, 9, "rwm"},
    DefaultDevice{"", 'c', 136, -1, "rwm"},  // /dev/pts/N, which /dev/console is as well
    DefaultDevice{"", 'c', 5, 2, "rwm"},     // /dev/ptmx
    DefaultDevice{"", 'c', 10, 200, "rwm"},  // /dev/net/tun
};

inline constexpr uint32_t kDefaultDeviceMode = 0666;

// For Config::devices and Resources::devices: without rules a container may use no device at all.
std::vector<Device> default_devices();
std::vector<DeviceRule> default_device_rules();

}  // namespace hull::configs

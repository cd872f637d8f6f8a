#include "libruntime/configs/default_devices.h"

#include <string>

namespace hull::configs {

std::vector<Device> default_devices() {
  std::vector<Device> out;
  for (const DefaultDevice& device : kDefaultDevices)
    if (!device.path.empty())
      out.push_back({std::string(device.path), device.type, device.major, device.minor,
                     kDefaultDeviceMode, 0, 0});
  return out;
}

std::vector<DeviceRule> default_device_rules() {
  std::vector<DeviceRule> out;
  for (const DefaultDevice& device : kDefaultDevices)
    out.push_back({device.type, device.major, device.minor, std::string(device.access), true});
  return out;
}

}  // namespace hull::configs

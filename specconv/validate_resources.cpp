#include "libruntime/system/error.h"
#include "specconv/validate_parts.h"

// config-linux.md#control-groups
namespace hull::specconv {
namespace {

class Checker {
 public:
  Checker(std::string_view base, Problems& problems) : base_(base), problems_(problems) {}

  template <class... Parts>
  void refuse(bool wrong, const char* text, const Parts&... parts) {
    if (wrong) problems_.add(pointer_to(base_, parts...), text);
  }

  void devices(const std::vector<DeviceRule>& rules) {
    for (size_t i = 0; i < rules.size(); ++i) {
      const DeviceRule& rule = rules[i];
      refuse(rule.access.empty(), "device access cannot be empty", "devices", i, "access");
      refuse(rule.access.find_first_not_of("rwm") != std::string::npos, "must be of r, w and m",
             "devices", i, "access");
      refuse(out_of_range(rule.major), "must be from -1 to 4294967295", "devices", i, "major");
      refuse(out_of_range(rule.minor), "must be from -1 to 4294967295", "devices", i, "minor");
    }
  }

  void memory(const Memory& in) {
    const auto limit = [&](const std::optional<int64_t>& value, const char* key) {
      refuse(value && *value < -1, "must be -1 (no limit) or more", "memory", key);
    };
    limit(in.limit, "limit");
    limit(in.reservation, "reservation");
    limit(in.swap, "swap");
    refuse(in.swap && in.limit && *in.swap > 0 && *in.swap < *in.limit,
           "is below the memory limit: it counts memory and swap together", "memory", "swap");
    refuse(in.swappiness && *in.swappiness > 100, "must be from 0 to 100", "memory", "swappiness");
  }

  void cpu(const Cpu& in) {
    // sched_bwc(7) of the kernel's documentation: no bound without a quota.
    refuse(in.burst && in.quota && *in.quota > 0 && *in.burst > static_cast<uint64_t>(*in.quota),
           "is above the quota", "cpu", "burst");
    refuse(in.idle && *in.idle != 0 && *in.idle != 1, "must be 0 or 1", "cpu", "idle");
  }

  void block_io(const BlockIo& in) {
    static constexpr char kWeight[] = "must be from 10 to 1000";
    refuse(bad_weight(in.weight), kWeight, "blockIO", "weight");
    refuse(bad_weight(in.leaf_weight), kWeight, "blockIO", "leafWeight");
    for (size_t i = 0; i < in.weight_device.size(); ++i) {
      const WeightDevice& device = in.weight_device[i];
      refuse(!device.weight && !device.leaf_weight, "needs weight or leafWeight", "blockIO",
             "weightDevice", i);
      refuse(bad_weight(device.weight), kWeight, "blockIO", "weightDevice", i, "weight");
      refuse(bad_weight(device.leaf_weight), kWeight, "blockIO", "weightDevice", i, "leafWeight");
      device_numbers(device.major, device.minor, "weightDevice", i);
    }
    throttle(in.throttle_read_bps, "throttleReadBpsDevice");
    throttle(in.throttle_write_bps, "throttleWriteBpsDevice");
    throttle(in.throttle_read_iops, "throttleReadIOPSDevice");
    throttle(in.throttle_write_iops, "throttleWriteIOPSDevice");
  }

  void hugepages(const std::vector<configs::HugepageLimit>& limits) {
    for (size_t i = 0; i < limits.size(); ++i) {
      refuse(!page_size(limits[i].page_size), "must be a size such as 64KB, 2MB or 1GB",
             "hugepageLimits", i, "pageSize");
    }
  }

  void network(const Network& in) {
    for (size_t i = 0; i < in.priorities.size(); ++i) {
      const std::string& name = in.priorities[i].interface;
      refuse(name.empty() || name.find_first_of(" \n") != std::string::npos,
             "is not the name of an interface", "network", "priorities", i, "name");
    }
  }

  void rdma(const std::map<std::string, configs::RdmaLimit>& limits) {
    for (const auto& [device, limit] : limits) {
      refuse(!limit.hca_handles && !limit.hca_objects, "needs hcaHandles or hcaObjects", "rdma",
             device);
      refuse(device.empty() || device.find_first_of(" \n") != std::string::npos,
             "is not the name of a device", "rdma", device);
    }
  }

  void unified(const std::map<std::string, std::string>& files) {
    for (const auto& [name, value] : files) {
      refuse(name.find('/') != std::string::npos, "must be a file name (no slashes)", "unified",
             name);
      refuse(name.empty() || name == "." || name == "..", "is not a file name", "unified", name);
    }
  }

 private:
  static bool out_of_range(const std::optional<int64_t>& number) {
    return number && (*number < -1 || *number > UINT32_MAX);
  }
  // Hosts write 0 for "not set".
  static bool bad_weight(const std::optional<uint16_t>& weight) {
    return weight && *weight != 0 && (*weight < 10 || *weight > 1000);
  }
  // "^[1-9][0-9]*[KMG]B$"
  static bool page_size(std::string_view text) {
    if (text.size() < 3 || !text.ends_with('B')) return false;
    const std::string_view digits = text.substr(0, text.size() - 2);
    return std::string_view("KMG").find(text[text.size() - 2]) != std::string_view::npos &&
           digits[0] != '0' && digits.find_first_not_of("0123456789") == std::string_view::npos;
  }
  void device_numbers(int64_t major, int64_t minor, const char* list, size_t i) {
    static constexpr char kText[] = "must be from 0 to 4294967295";
    refuse(major < 0 || major > UINT32_MAX, kText, "blockIO", list, i, "major");
    refuse(minor < 0 || minor > UINT32_MAX, kText, "blockIO", list, i, "minor");
  }
  void throttle(const std::vector<ThrottleDevice>& devices, const char* list) {
    for (size_t i = 0; i < devices.size(); ++i)
      device_numbers(devices[i].major, devices[i].minor, list, i);
  }

  std::string_view base_;
  Problems& problems_;
};

}  // namespace

void check_resources(const Resources& resources, std::string_view base, Problems& problems) {
  Checker check(base, problems);
  check.devices(resources.devices);
  if (resources.memory) check.memory(*resources.memory);
  if (resources.cpu) check.cpu(*resources.cpu);
  if (resources.block_io) check.block_io(*resources.block_io);
  check.hugepages(resources.hugepage_limits);
  if (resources.network) check.network(*resources.network);
  check.rdma(resources.rdma);
  check.unified(resources.unified);
}

}  // namespace hull::specconv

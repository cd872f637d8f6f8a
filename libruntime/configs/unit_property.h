#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace hull::configs {

// A property of a systemd unit, in the D-Bus type that systemd gives it: b, i, u, t, s, as, ay, au,
// a(ss), a(st).
struct UnitProperty {
  using Value = std::variant<bool, int32_t, uint32_t, uint64_t, std::string,
                             std::vector<std::string>, std::vector<uint8_t>, std::vector<uint32_t>,
                             std::vector<std::pair<std::string, std::string>>,
                             std::vector<std::pair<std::string, uint64_t>>>;
  std::string name;
  Value value;
  bool operator==(const UnitProperty&) const = default;
};

}  // namespace hull::configs

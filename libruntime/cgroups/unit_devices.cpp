#include <algorithm>
#include <string>

#include "libruntime/cgroups/device_rules.h"
#include "libruntime/cgroups/unit_properties.h"

namespace hull::cgroups {
namespace {

using Entries = std::vector<DeviceException>;

bool covers(const DeviceException& wide, const DeviceException& narrow) {
  return wide.type == narrow.type && (wide.major == -1 || wide.major == narrow.major) &&
         (wide.minor == -1 || wide.minor == narrow.minor);
}

void allow(DeviceException one, Entries& entries) {
  // systemd can't say "this minor number of all drivers".
  if (one.major == -1) one.minor = -1;
  const auto known = std::ranges::find_if(entries, [&](const DeviceException& other) {
    return covers(one, other) && covers(other, one);
  });
  if (known == entries.end()) {
    entries.push_back(one);
  } else {
    known->bits |= one.bits;
  }
}

void deny(const DeviceException& one, Entries& entries) {
  for (DeviceException& other : entries)
    if (covers(one, other)) other.bits &= ~one.bits;
  std::erase_if(entries, [](const DeviceException& other) { return other.bits == 0; });
}

// For systemd one entry alone must allow all of an access.
void gather_bits(Entries& entries) {
  const Entries before = entries;
  for (DeviceException& one : entries)
    for (const DeviceException& other : before)
      if (covers(other, one)) one.bits |= other.bits;
}

// systemd.resource-control(5), DeviceAllow=: a node, which need not exist when its name is made of
// the numbers, or a whole driver.
std::string entry_name(const DeviceException& one) {
  const std::string type = one.type == 'c' ? "char" : "block";
  if (one.major == -1) return type + "-*";
  if (one.minor == -1) return type + "-" + std::to_string(one.major);
  return "/dev/" + type + "/" + std::to_string(one.major) + ":" + std::to_string(one.minor);
}

std::string letters(unsigned bits) {
  std::string out;
  if ((bits & kDeviceRead) != 0) out += 'r';
  if ((bits & kDeviceWrite) != 0) out += 'w';
  if ((bits & kDeviceMknod) != 0) out += 'm';
  return out;
}

}  // namespace

std::vector<configs::UnitProperty> device_properties(
    const std::vector<configs::DeviceRule>& rules) {
  bool all = false;
  Entries entries;
  for (const configs::DeviceRule& rule : rules) {
    if (is_reset(rule)) {
      all = rule.allow;
      entries.clear();
      continue;
    }
    for (const char type : {'b', 'c'}) {
      const char named = rule.type == 'u' ? 'c' : rule.type;
      if (named != 'a' && named != type) continue;
      const DeviceException one{type, rule.major, rule.minor, device_bits(rule.permissions)};
      if (one.bits == 0) continue;
      rule.allow ? allow(one, entries) : deny(one, entries);
    }
  }
  std::vector<std::pair<std::string, std::string>> list;
  if (!all) {
    gather_bits(entries);
    for (const DeviceException& one : entries)
      list.emplace_back(entry_name(one), letters(one.bits));
  }
  std::vector<configs::UnitProperty> out;
  out.push_back({"DevicePolicy", std::string(all ? "auto" : "strict")});
  // The first takes back what there was.
  out.push_back({"DeviceAllow", std::vector<std::pair<std::string, std::string>>{}});
  if (!list.empty()) out.push_back({"DeviceAllow", std::move(list)});
  return out;
}

}  // namespace hull::cgroups

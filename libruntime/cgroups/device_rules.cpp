#include "libruntime/cgroups/device_rules.h"

#include <algorithm>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

bool includes(int64_t wide, int64_t narrow) { return wide == -1 || wide == narrow; }
bool meets(int64_t a, int64_t b) { return a == -1 || b == -1 || a == b; }

bool covers(const DeviceException& wide, const DeviceException& narrow) {
  return wide.type == narrow.type && includes(wide.major, narrow.major) &&
         includes(wide.minor, narrow.minor);
}

bool overlaps(const DeviceException& a, const DeviceException& b) {
  return a.type == b.type && meets(a.major, b.major) && meets(a.minor, b.minor);
}

bool same_devices(const DeviceException& a, const DeviceException& b) {
  return a.type == b.type && a.major == b.major && a.minor == b.minor;
}

std::string number_text(int64_t number) { return number == -1 ? "*" : std::to_string(number); }

std::string line_of(const DeviceException& one) {
  std::string line{one.type, ' '};
  line += number_text(one.major) + ":" + number_text(one.minor) + " ";
  if ((one.bits & kDeviceRead) != 0) line += 'r';
  if ((one.bits & kDeviceWrite) != 0) line += 'w';
  if ((one.bits & kDeviceMknod) != 0) line += 'm';
  return line;
}

void add(std::vector<DeviceException>& list, const DeviceException& one) {
  const auto known =
      std::ranges::find_if(list, [&](const auto& other) { return same_devices(one, other); });
  if (known == list.end()) {
    list.push_back(one);
  } else {
    known->bits |= one.bits;
  }
}

void take_out(std::vector<DeviceException>& list, const DeviceException& one) {
  for (DeviceException& other : list) {
    if ((other.bits & one.bits) == 0 || !overlaps(one, other)) continue;
    if (!covers(one, other))
      throw Error("device rule " + quote(line_of(one)) + " takes a part out of the earlier rule " +
                  quote(line_of(other)) + ", which cgroup v1 can't express")
          .field("/linux/resources/devices")
          .hint("list the devices one by one instead");
    other.bits &= ~one.bits;
  }
  std::erase_if(list, [](const auto& other) { return other.bits == 0; });
}

void apply(DeviceList& list, const configs::DeviceRule& rule, char type) {
  const DeviceException one{type, rule.major, rule.minor, device_bits(rule.permissions)};
  if (one.bits == 0) return;
  if (rule.allow == list.allow_by_default) {
    take_out(list.exceptions, one);
  } else {
    add(list.exceptions, one);
  }
}

// In v1 an access passes only when a single exception grants all of it: opening for reading and
// writing needs both letters in one line, also when two rules gave them. (mknod is asked for
// alone.)
void gather_letters(std::vector<DeviceException>& exceptions) {
  constexpr unsigned kOpen = kDeviceRead | kDeviceWrite;
  std::vector<DeviceException> meets;
  for (size_t i = 0; i < exceptions.size(); ++i) {
    for (size_t j = i + 1; j < exceptions.size(); ++j) {
      const DeviceException& a = exceptions[i];
      const DeviceException& b = exceptions[j];
      const bool halves = (a.bits & kOpen) != kOpen && (b.bits & kOpen) != kOpen &&
                          ((a.bits | b.bits) & kOpen) == kOpen;
      if (!halves || !overlaps(a, b)) continue;
      meets.push_back(
          {a.type, a.major == -1 ? b.major : a.major, a.minor == -1 ? b.minor : a.minor, kOpen});
    }
  }
  for (const DeviceException& both : meets) add(exceptions, both);
}

DeviceException exception_of(std::string_view line) {
  DeviceException out;
  const auto words = split(line, ' ');
  if (words.size() != 3 || words[0].size() != 1) return out;
  const auto numbers = split(words[1], ':');
  if (numbers.size() != 2) return out;
  out.type = words[0][0];
  out.major = parse_number<uint32_t>(numbers[0]).value_or(0);
  out.minor = parse_number<uint32_t>(numbers[1]).value_or(0);
  if (numbers[0] == "*") out.major = -1;
  if (numbers[1] == "*") out.minor = -1;
  out.bits = device_bits(words[2]);
  return out;
}

// What `from` holds and `other` does not.
std::vector<DeviceException> difference(const std::vector<DeviceException>& from,
                                        const std::vector<DeviceException>& other) {
  std::vector<DeviceException> out;
  for (DeviceException one : from) {
    const auto same =
        std::ranges::find_if(other, [&](const auto& two) { return same_devices(one, two); });
    if (same != other.end()) one.bits &= ~same->bits;
    if (one.bits != 0) out.push_back(one);
  }
  return out;
}

}  // namespace

unsigned device_bits(std::string_view permissions) {
  unsigned bits = 0;
  for (const char letter : permissions) {
    if (letter == 'm') bits |= kDeviceMknod;
    if (letter == 'r') bits |= kDeviceRead;
    if (letter == 'w') bits |= kDeviceWrite;
  }
  return bits;
}

bool is_reset(const configs::DeviceRule& rule) {
  return rule.type == 'a' && rule.major == -1 && rule.minor == -1 &&
         device_bits(rule.permissions) == kDeviceAll;
}

DeviceList device_list(const std::vector<configs::DeviceRule>& rules) {
  DeviceList list;
  for (const configs::DeviceRule& rule : rules) {
    if (is_reset(rule)) {
      list = {rule.allow, {}};
    } else if (rule.type == 'a') {
      apply(list, rule, 'b');
      apply(list, rule, 'c');
    } else {
      apply(list, rule, rule.type == 'u' ? 'c' : rule.type);
    }
  }
  if (!list.allow_by_default) gather_letters(list.exceptions);
  return list;
}

DeviceList parse_device_list(std::string_view text) {
  DeviceList list;
  for (const std::string_view line : split(trim(text), '\n')) {
    // The kernel shows no exceptions from "everything is allowed".
    if (line.starts_with('a')) return {true, {}};
    if (const DeviceException one = exception_of(line); one.bits != 0)
      list.exceptions.push_back(one);
  }
  return list;
}

bool allows_everything(const std::vector<configs::DeviceRule>& rules) {
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (!rule->allow && device_bits(rule->permissions) != 0) return false;
    if (is_reset(*rule)) return true;
  }
  return false;
}

std::vector<DeviceWrite> device_writes(const DeviceList& target) {
  std::vector<DeviceWrite> writes{{target.allow_by_default, "a"}};
  for (const DeviceException& one : target.exceptions)
    writes.push_back({!target.allow_by_default, line_of(one)});
  return writes;
}

std::vector<DeviceWrite> device_transition(const DeviceList& current, const DeviceList& target) {
  if (current.allow_by_default != target.allow_by_default || target.allow_by_default)
    return device_writes(target);
  std::vector<DeviceWrite> writes;
  for (const DeviceException& one : difference(current.exceptions, target.exceptions))
    writes.push_back({false, line_of(one)});
  for (const DeviceException& one : difference(target.exceptions, current.exceptions))
    writes.push_back({true, line_of(one)});
  return writes;
}

}  // namespace hull::cgroups

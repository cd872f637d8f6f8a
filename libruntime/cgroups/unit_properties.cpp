#include "libruntime/cgroups/unit_properties.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libruntime/cgroups/limits.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

using configs::Resources;
using configs::UnitProperty;
using Rates = std::vector<std::pair<std::string, uint64_t>>;

constexpr uint64_t kInfinity = UINT64_MAX;
constexpr uint64_t kSecond = 1000000;
constexpr unsigned kPeriodSince = 242;
constexpr unsigned kCpusetSince = 244;
constexpr unsigned kIdleSince = 252;

// Of several values for one property the last counts.
class Properties {
 public:
  void put(std::string_view name, UnitProperty::Value value, unsigned since = 0) {
    const auto known = std::ranges::find_if(
        list_, [&](const LimitProperty& one) { return one.property.name == name; });
    LimitProperty property{{std::string(name), std::move(value)}, since};
    if (known == list_.end()) {
      list_.push_back(std::move(property));
    } else {
      *known = std::move(property);
    }
  }
  void put_number(std::string_view name, int64_t value) {
    put(name, value < 0 ? kInfinity : static_cast<uint64_t>(value));
  }
  std::vector<LimitProperty> take() { return std::move(list_); }

 private:
  std::vector<LimitProperty> list_;
};

std::string block_device(std::string_view numbers) { return "/dev/block/" + std::string(numbers); }
std::string block_device(int64_t major, int64_t minor) {
  return block_device(std::to_string(major) + ":" + std::to_string(minor));
}

// systemd keeps hundredths of a percent over a daemon-reload and drops the rest. Rounded up it
// never gives less than was asked; whole hundredths it gives back exactly.
void put_bandwidth(int64_t quota, uint64_t period, Properties& out) {
  constexpr uint64_t kDefaultPeriod = 100000;
  constexpr uint64_t kHundredths = 10000;
  const uint64_t length = period != 0 ? period : kDefaultPeriod;
  uint64_t per_second = kInfinity;
  if (quota > 0)
    per_second = (static_cast<uint64_t>(quota) * kHundredths + length - 1) / length *
                 (kSecond / kHundredths);
  out.put("CPUQuotaPerSecUSec", per_second);
  if (period != 0 && period != kDefaultPeriod) out.put("CPUQuotaPeriodUSec", period, kPeriodSince);
}

void put_cpu(const Resources& r, Mode mode, Properties& out) {
  if (r.cpu_quota != 0 || r.cpu_period != 0) put_bandwidth(r.cpu_quota, r.cpu_period, out);
  if (mode != Mode::v2) {
    if (r.cpu_shares != 0) out.put("CPUShares", r.cpu_shares);
    return;
  }
  const uint64_t weight = r.cpu_weight != 0 ? r.cpu_weight : weight_of_shares(r.cpu_shares);
  if (r.cpu_idle.value_or(0) != 0) {
    out.put("CPUWeight", uint64_t{0}, kIdleSince);
  } else if (weight != 0) {
    out.put("CPUWeight", weight);
  }
}

void put_list(std::string_view name, std::string_view list, Properties& out) {
  std::vector<uint8_t> mask = mask_of_list(list);
  // An empty one takes the property back.
  if (!mask.empty() || trim(list).empty()) out.put(name, std::move(mask), kCpusetSince);
}

void put_memory(const Resources& r, Mode mode, Properties& out) {
  if (mode != Mode::v2) {
    if (r.memory != 0) out.put_number("MemoryLimit", r.memory);
    return;
  }
  if (r.memory != 0) out.put_number("MemoryMax", r.memory);
  if (r.memory_reservation != 0) out.put_number("MemoryLow", r.memory_reservation);
  const std::string swap = swap_max(r.memory, r.memory_swap);
  if (!swap.empty()) out.put("MemorySwapMax", parse_number<uint64_t>(swap).value_or(kInfinity));
}

void put_rates(std::string_view name, const std::vector<configs::ThrottleDevice>& devices,
               Properties& out) {
  Rates rates;
  for (const configs::ThrottleDevice& one : devices)
    rates.emplace_back(block_device(one.major, one.minor), one.rate == 0 ? kInfinity : one.rate);
  if (!rates.empty()) out.put(name, std::move(rates));
}

void put_io(const Resources& r, Mode mode, Properties& out) {
  if (mode != Mode::v2) {
    if (r.blkio_weight != 0) out.put("BlockIOWeight", uint64_t{r.blkio_weight});
    return;
  }
  if (r.blkio_weight != 0) out.put("IOWeight", io_weight(r.blkio_weight));
  Rates weights;
  for (const configs::WeightDevice& one : r.blkio_weight_device)
    if (one.weight != 0)
      weights.emplace_back(block_device(one.major, one.minor), io_weight(one.weight));
  if (!weights.empty()) out.put("IODeviceWeight", std::move(weights));
  put_rates("IOReadBandwidthMax", r.throttle_read_bps, out);
  put_rates("IOWriteBandwidthMax", r.throttle_write_bps, out);
  put_rates("IOReadIOPSMax", r.throttle_read_iops, out);
  put_rates("IOWriteIOPSMax", r.throttle_write_iops, out);
}

// --- The unified keys
// -------------------------------------------------------------------------------

// A size as the kernel reads it ("64M", memparse()), or "max".
std::optional<uint64_t> parse_size(std::string_view text) {
  if (text == "max") return kInfinity;
  constexpr std::string_view kSuffixes = "KMGTPE";
  unsigned shift = 0;
  if (!text.empty()) {
    const char last = text.back();
    const size_t at = kSuffixes.find(last >= 'a' ? static_cast<char>(last - 'a' + 'A') : last);
    if (at != std::string_view::npos) {
      shift = static_cast<unsigned>(at + 1) * 10;
      text.remove_suffix(1);
    }
  }
  const auto number = parse_number<uint64_t>(text);
  if (!number || *number > kInfinity >> shift) return std::nullopt;
  return *number << shift;
}

std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> out = split(line, ' ');
  std::erase(out, "");
  return out;
}

void put_size(std::string_view name, std::string_view value, Properties& out, unsigned since = 0) {
  if (const auto size = parse_size(value)) out.put(name, *size, since);
}

void put_cpu_max(std::string_view value, Properties& out) {
  const auto parts = words(value);
  if (parts.empty() || parts.size() > 2) return;
  const auto quota = parse_size(parts[0]);
  const auto period = parts.size() == 2 ? parse_number<uint64_t>(parts[1]) : 0;
  if (!quota || !period) return;
  put_bandwidth(*quota == kInfinity ? -1 : static_cast<int64_t>(*quota), *period, out);
}

void put_cpu_idle(std::string_view value, Properties& out) {
  if (value == "1") out.put("CPUWeight", uint64_t{0}, kIdleSince);
}

void put_oom_group(std::string_view value, Properties& out) {
  constexpr unsigned kSince = 253;
  if (value == "1") out.put("OOMPolicy", std::string("kill"), kSince);
  if (value == "0") out.put("OOMPolicy", std::string("continue"), kSince);
}

// "default 100", "100", "8:0 50"
void put_io_weight(std::string_view value, Properties& out) {
  Rates weights;
  for (const std::string_view line : split(value, '\n')) {
    const auto parts = words(line);
    if (parts.empty() || parts.size() > 2) continue;
    const auto weight = parse_number<uint64_t>(parts.back());
    if (!weight) continue;
    if (parts.size() == 1 || parts[0] == "default") {
      out.put("IOWeight", *weight);
    } else {
      weights.emplace_back(block_device(parts[0]), *weight);
    }
  }
  if (!weights.empty()) out.put("IODeviceWeight", std::move(weights));
}

// "8:0 rbps=1048576 wiops=max"
void put_io_max(std::string_view value, Properties& out) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kKeys{
      {{"rbps", "IOReadBandwidthMax"},
       {"wbps", "IOWriteBandwidthMax"},
       {"riops", "IOReadIOPSMax"},
       {"wiops", "IOWriteIOPSMax"}}};
  std::array<Rates, kKeys.size()> rates;
  for (const std::string_view line : split(value, '\n')) {
    const auto parts = words(line);
    for (size_t i = 1; i < parts.size(); ++i) {
      const size_t equal = parts[i].find('=');
      if (equal == std::string_view::npos) continue;
      const auto rate = parse_size(parts[i].substr(equal + 1));
      for (size_t k = 0; k < kKeys.size(); ++k)
        if (rate && kKeys[k].first == parts[i].substr(0, equal))
          rates[k].emplace_back(block_device(parts[0]), *rate);
    }
  }
  for (size_t k = 0; k < kKeys.size(); ++k)
    if (!rates[k].empty()) out.put(kKeys[k].second, std::move(rates[k]));
}

// "8:0 target=75", microseconds
void put_io_latency(std::string_view value, Properties& out) {
  constexpr std::string_view kKey = "target=";
  Rates targets;
  for (const std::string_view line : split(value, '\n')) {
    const auto parts = words(line);
    if (parts.size() != 2 || !parts[1].starts_with(kKey)) continue;
    if (const auto target = parse_number<uint64_t>(parts[1].substr(kKey.size())))
      targets.emplace_back(block_device(parts[0]), *target);
  }
  if (!targets.empty()) out.put("IODeviceLatencyTargetUSec", std::move(targets));
}

struct UnifiedKey {
  std::string_view file;
  void (*put)(std::string_view value, Properties& out);
};

constexpr std::array kUnifiedKeys{
    UnifiedKey{"cpu.max", put_cpu_max},
    UnifiedKey{"cpu.weight", [](auto v, auto& out) { put_size("CPUWeight", v, out); }},
    UnifiedKey{"cpu.idle", put_cpu_idle},
    UnifiedKey{"cpuset.cpus", [](auto v, auto& out) { put_list("AllowedCPUs", v, out); }},
    UnifiedKey{"cpuset.mems", [](auto v, auto& out) { put_list("AllowedMemoryNodes", v, out); }},
    UnifiedKey{"memory.min", [](auto v, auto& out) { put_size("MemoryMin", v, out); }},
    UnifiedKey{"memory.low", [](auto v, auto& out) { put_size("MemoryLow", v, out); }},
    UnifiedKey{"memory.high", [](auto v, auto& out) { put_size("MemoryHigh", v, out); }},
    UnifiedKey{"memory.max", [](auto v, auto& out) { put_size("MemoryMax", v, out); }},
    UnifiedKey{"memory.swap.max", [](auto v, auto& out) { put_size("MemorySwapMax", v, out); }},
    UnifiedKey{"memory.zswap.max",
               [](auto v, auto& out) { put_size("MemoryZSwapMax", v, out, 253); }},
    UnifiedKey{"memory.zswap.writeback",
               [](auto v, auto& out) { out.put("MemoryZSwapWriteback", v == "1", 256); }},
    UnifiedKey{"memory.oom.group", put_oom_group},
    UnifiedKey{"pids.max", [](auto v, auto& out) { put_size("TasksMax", v, out); }},
    UnifiedKey{"io.weight", put_io_weight},
    UnifiedKey{"io.max", put_io_max},
    UnifiedKey{"io.latency", put_io_latency},
};

}  // namespace

std::vector<uint8_t> mask_of_list(std::string_view list) {
  constexpr unsigned kMost = 65536;
  std::vector<uint8_t> mask;
  for (const std::string_view part : split(trim(list), ',')) {
    const size_t dash = part.find('-');
    const auto first = parse_number<unsigned>(trim(part.substr(0, dash)));
    const auto last = dash == std::string_view::npos
                          ? first
                          : parse_number<unsigned>(trim(part.substr(dash + 1)));
    if (!first || !last || *first > *last || *last >= kMost) return {};
    if (mask.size() <= *last / 8) mask.resize(*last / 8 + 1);
    for (unsigned i = *first; i <= *last; ++i)
      mask[i / 8] = static_cast<uint8_t>(mask[i / 8] | 1U << (i % 8));
  }
  return mask;
}

std::vector<LimitProperty> limit_properties(const Resources& r, Mode mode) {
  Properties out;
  put_memory(r, mode, out);
  put_cpu(r, mode, out);
  if (!r.cpuset_cpus.empty()) put_list("AllowedCPUs", r.cpuset_cpus, out);
  if (!r.cpuset_mems.empty()) put_list("AllowedMemoryNodes", r.cpuset_mems, out);
  // As set_v2_limits does: with 0 no process could be born there.
  if (r.pids_limit) out.put_number("TasksMax", *r.pids_limit == 0 ? 1 : *r.pids_limit);
  put_io(r, mode, out);
  for (const auto& [file, value] : r.unified)
    for (const UnifiedKey& key : kUnifiedKeys)
      if (key.file == file) key.put(trim(value), out);
  return out.take();
}

}  // namespace hull::cgroups

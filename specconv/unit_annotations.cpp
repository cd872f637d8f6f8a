#include "specconv/unit_annotations.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "libruntime/system/error.h"
#include "specconv/gvariant.h"

namespace hull::specconv {
namespace {

using configs::UnitProperty;

constexpr std::string_view kPrefix = "org.systemd.property.";

// What may be set, with its D-Bus type: how the unit is stopped and collected, limits, order.
// Nothing that starts or stops other units, runs a command or restarts the host.
struct Allowed {
  std::string_view name;
  char type;  // as of D-Bus; 'A' is "as"
};
constexpr std::array kAllowed{
    Allowed{"After", 'A'},
    Allowed{"Before", 'A'},
    Allowed{"CPUAccounting", 'b'},
    Allowed{"CPUQuotaPerSecUSec", 't'},
    Allowed{"CPUQuotaPeriodUSec", 't'},
    Allowed{"CPUShares", 't'},
    Allowed{"CPUWeight", 't'},
    Allowed{"CollectMode", 's'},
    Allowed{"DefaultDependencies", 'b'},
    Allowed{"Description", 's'},
    Allowed{"Documentation", 'A'},
    Allowed{"FinalKillSignal", 'i'},
    Allowed{"IOAccounting", 'b'},
    Allowed{"IOWeight", 't'},
    Allowed{"IPAccounting", 'b'},
    Allowed{"KillMode", 's'},
    Allowed{"KillSignal", 'i'},
    Allowed{"ManagedOOMMemoryPressure", 's'},
    Allowed{"ManagedOOMMemoryPressureLimit", 'u'},
    Allowed{"ManagedOOMPreference", 's'},
    Allowed{"ManagedOOMSwap", 's'},
    Allowed{"MemoryAccounting", 'b'},
    Allowed{"MemoryHigh", 't'},
    Allowed{"MemoryLow", 't'},
    Allowed{"MemoryMax", 't'},
    Allowed{"MemoryMin", 't'},
    Allowed{"MemorySwapMax", 't'},
    Allowed{"MemoryZSwapMax", 't'},
    Allowed{"OOMPolicy", 's'},
    Allowed{"PartOf", 'A'},
    Allowed{"RestartKillSignal", 'i'},
    Allowed{"RuntimeMaxUSec", 't'},
    Allowed{"RuntimeRandomizedExtraUSec", 't'},
    Allowed{"SendSIGHUP", 'b'},
    Allowed{"SendSIGKILL", 'b'},
    Allowed{"StartupCPUWeight", 't'},
    Allowed{"StartupIOWeight", 't'},
    Allowed{"TasksAccounting", 'b'},
    Allowed{"TasksMax", 't'},
    Allowed{"TimeoutStopUSec", 't'},
    Allowed{"WatchdogSignal", 'i'},
};

UnitProperty::Value read_value(GVariantReader& in, char type) {
  switch (type) {
    case 'b':
      return in.boolean();
    case 'i':
      return in.int32();
    case 'u':
      return in.uint32();
    case 't':
      return in.uint64();
    case 's':
      return in.string();
    default:
      return in.strings();
  }
}

// "TimeoutStopSec" is "TimeoutStopUSec" in another unit.
bool in_seconds(std::string_view name) {
  constexpr std::string_view kSec = "Sec";
  if (name.size() <= kSec.size() || !name.ends_with(kSec)) return false;
  const char before = name[name.size() - kSec.size() - 1];
  return before >= 'a' && before <= 'z';
}

UnitProperty property_of(std::string name, const std::string& text) {
  const bool seconds = in_seconds(name);
  if (seconds) name.replace(name.size() - 3, 3, "USec");
  const auto allowed = std::ranges::find(kAllowed, name, &Allowed::name);
  if (allowed == kAllowed.end())
    throw Error("the property " + quote(name) + " of a systemd unit can't be set by an annotation")
        .hint("only properties that do no harm to the host are taken");
  GVariantReader reader(text);
  UnitProperty out{std::move(name), {}};
  try {
    out.value = seconds ? reader.seconds() : read_value(reader, allowed->type);
    reader.end();
  } catch (const Error& e) {
    throw Error("the value " + quote(text) + " " + e.message());
  }
  return out;
}

}  // namespace

std::vector<UnitProperty> unit_properties(const std::map<std::string, std::string>& annotations) {
  std::vector<UnitProperty> out;
  for (const auto& [key, value] : annotations) {
    if (!key.starts_with(kPrefix) || key.size() == kPrefix.size()) continue;
    try {
      out.push_back(property_of(key.substr(kPrefix.size()), value));
    } catch (Error& e) {
      e.set_field("/annotations/" + key);
      throw;
    }
  }
  return out;
}

}  // namespace hull::specconv

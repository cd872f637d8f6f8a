#include <algorithm>

#include "libruntime/security/capabilities.h"
#include "specconv/legacy_parts.h"

// Four forms, by date:
//   February  "capabilities": ["SETPCAP", ...]                                     what is dropped
//   April     "capabilities_mask": [{"key": "SETPCAP", "enabled": false}, ...]     false is dropped
//   May 5     "capabilities_mask": {"SETPCAP": false, ...}                         false is dropped
//   May 17    "capabilities": ["SETPCAP", ...]                                     what is kept
namespace hull::specconv::legacy {
namespace {

// A name that nobody knows would leave a capability in place that its author wanted gone.
uint64_t bit_of(const Node& where, const std::string& name) {
  std::vector<std::string> unknown;
  const bool prefixed = name.starts_with("CAP_") || name.starts_with("cap_");
  const uint64_t bit = security::capability_mask({prefixed ? name : "CAP_" + name}, unknown);
  if (!unknown.empty()) where.problem("unknown capability " + quote(name));
  return bit;
}

// Mask and list alike: each entry says its name and whether it stays.
uint64_t dropped_by_mask(const Node& mask) {
  uint64_t dropped = 0;
  if (mask.is_map()) {
    for (const std::string_view key : mask.keys()) {
      bool enabled = true;
      const uint64_t bit = bit_of(mask.member(key), std::string(key));
      if (mask.read(key, enabled) && !enabled) dropped |= bit;
    }
    return dropped;
  }
  mask.each_entry([&](const Node& one) {
    std::string name;
    bool enabled = false;  // Go's, when it is left out
    one.require({"key"});
    if (!one.read("key", name)) return;
    one.read("enabled", enabled);
    const uint64_t bit = bit_of(one, name);
    if (!enabled) dropped |= bit;
  });
  return dropped;
}

uint64_t named_by_list(const Node& list) {
  uint64_t named = 0;
  list.each_entry([&](const Node& one) {
    std::string name;
    if (one.text(name)) named |= bit_of(one, name);
  });
  return named;
}

// A list of what is kept came with namespaces as a map, or as objects that have a type.
bool is_of_may(const Node& container) {
  const Node namespaces = container.member("namespaces");
  if (namespaces.is_map()) return true;
  bool typed = false;
  if (namespaces.is_list())
    namespaces.each_entry([&](const Node& one) { typed = typed || one.member("type").present(); });
  return typed;
}

}  // namespace

void read_capabilities(const Node& container, std::vector<std::string>& kept) {
  const Node mask = container.member("capabilities_mask");
  const Node list = container.member("capabilities");
  uint64_t wanted = ~uint64_t{0};
  if (mask.present()) {
    wanted = ~dropped_by_mask(mask);
  } else if (list.present()) {
    const uint64_t named = named_by_list(list);
    wanted = is_of_may(container) ? named : ~named;
  }
  const auto names = security::capability_names();
  const size_t count = std::min<size_t>(names.size(), security::last_capability() + 1);
  for (size_t i = 0; i < count; ++i)
    if ((wanted >> i & 1) != 0) kept.emplace_back(names[i]);
}

}  // namespace hull::specconv::legacy

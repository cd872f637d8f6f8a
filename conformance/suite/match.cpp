#include "conformance/suite/match.h"

#include <algorithm>
#include <array>
#include <optional>
#include <regex>
#include <utility>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

bool matches(const Json& wanted, const Json& seen, const Json& host) {
  return differences(wanted, seen, host).empty();
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

const Json& absent() {
  static const Json value;
  return value;
}

const Json& member(const Json& object, const std::string& key) {
  if (!object.is_object()) return absent();
  const auto found = object.find(key);
  return found == object.end() ? absent() : *found;
}

bool holds(const Json& seen, const Json& part, const Json& host) {
  if (seen.is_string()) return seen.get<std::string>().find(text_of(part)) != std::string::npos;
  if (seen.is_object()) return part.is_string() && seen.contains(part.get<std::string>());
  return std::any_of(seen.begin(), seen.end(),
                     [&](const Json& entry) { return matches(part, entry, host); });
}

Json as_list(const Json& value) { return value.is_array() ? value : Json::array({value}); }

bool has(const Json& wanted, const Json& seen, const Json& host) {
  const Json parts = as_list(wanted);
  return !seen.is_null() && std::all_of(parts.begin(), parts.end(),
                                        [&](const Json& part) { return holds(seen, part, host); });
}

bool lacks(const Json& wanted, const Json& seen, const Json& host) {
  const Json parts = as_list(wanted);
  return !seen.is_null() && std::none_of(parts.begin(), parts.end(),
                                         [&](const Json& part) { return holds(seen, part, host); });
}

bool same_set(const Json& wanted, const Json& seen, const Json&) {
  if (!seen.is_array()) return false;
  Json a = wanted;
  Json b = seen;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  return a == b;
}

bool finds(const Json& wanted, const Json& seen, const Json&) {
  return !seen.is_null() && std::regex_search(text_of(seen), std::regex(text_of(wanted)));
}

bool is_not(const Json& wanted, const Json& seen, const Json& host) {
  return !matches(wanted, seen, host);
}

bool any(const Json&, const Json& seen, const Json&) { return !seen.is_null(); }

std::optional<int64_t> number(const Json& value) {
  if (value.is_number()) return value.get<int64_t>();
  return value.is_string() ? parse_number<int64_t>(value.get<std::string>()) : std::nullopt;
}

bool at_least(const Json& wanted, const Json& seen, const Json&) {
  const auto value = number(seen);
  return value && *value >= wanted.get<int64_t>();
}

bool at_most(const Json& wanted, const Json& seen, const Json&) {
  const auto value = number(seen);
  return value && *value <= wanted.get<int64_t>();
}

bool all(const Json& wanted, const Json& seen, const Json& host) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](const Json& part) { return matches(part, seen, host); });
}

bool as_host(const Json&, const Json& seen, const Json& host) { return seen == host; }

bool unlike_host(const Json&, const Json& seen, const Json& host) {
  return !seen.is_null() && seen != host;
}

using Operator = bool (*)(const Json& wanted, const Json& seen, const Json& host);
constexpr std::array<std::pair<const char*, Operator>, 11> kOperators = {{
    {"!has", has},
    {"!lacks", lacks},
    {"!set", same_set},
    {"!re", finds},
    {"!not", is_not},
    {"!any", any},
    {"!ge", at_least},
    {"!le", at_most},
    {"!all", all},
    {"!host", as_host},
    {"!differs", unlike_host},
}};

}  // namespace

std::vector<Difference> differences(const Json& wanted, const Json& seen, const Json& host,
                                    const std::string& at) {
  if (!wanted.is_object())
    return wanted == seen ? std::vector<Difference>{} : std::vector<Difference>{{at, wanted, seen}};
  if (wanted.size() == 1 && wanted.begin().key().starts_with("!")) {
    const std::string& name = wanted.begin().key();
    for (const auto& [known, test] : kOperators)
      if (name == known) {
        if (test(wanted.begin().value(), seen, host)) return {};
        return {{at, wanted, seen}};
      }
    throw Error("there is no operator " + name);
  }
  if (!seen.is_object()) return {{at, wanted, seen}};
  std::vector<Difference> found;
  for (const auto& [key, value] : wanted.items()) {
    auto inner =
        differences(value, member(seen, key), member(host, key), at.empty() ? key : at + "." + key);
    found.insert(found.end(), inner.begin(), inner.end());
  }
  return found;
}

bool asks_for_host(const Json& wanted) {
  if (wanted.is_object())
    for (const auto& [key, value] : wanted.items())
      if (key == "!host" || key == "!differs" || asks_for_host(value)) return true;
  if (wanted.is_array()) return std::any_of(wanted.begin(), wanted.end(), asks_for_host);
  return false;
}

}  // namespace hull::conformance

#include "cmd/hull/duration.h"

#include <cmath>

#include "libruntime/system/text.h"

namespace hull::cmd {
namespace {

struct Unit {
  std::string_view name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},   {"us", 1e3}, {"\u00b5s", 1e3}, {"\u03bcs", 1e3},
                           {"ms", 1e6}, {"s", 1e9},  {"m", 60e9},      {"h", 3600e9}};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits)
    if (unit.name == name) return &unit;
  return nullptr;
}

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789.";
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    const size_t unit_at = text.find_first_not_of(kDigits);
    if (unit_at == std::string_view::npos) return std::nullopt;
    const size_t end = text.find_first_of(kDigits, unit_at);
    const auto number = parse_number<double>(text.substr(0, unit_at));
    const Unit* unit =
        find_unit(text.substr(unit_at, end == std::string_view::npos ? end : end - unit_at));
    if (!number || unit == nullptr) return std::nullopt;
    sum += *number * unit->nanoseconds;
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  constexpr double kMost = 9.2e18;
  if (sum > kMost) return std::nullopt;
  return std::chrono::nanoseconds(std::llround(negative ? -sum : sum));
}

}  // namespace hull::cmd

#include "cmd/hull/byte_size.h"

#include <cctype>
#include <string>

#include "libruntime/system/text.h"

namespace hull::cmd {

std::optional<int64_t> parse_byte_size(std::string_view text) {
  if (text == "-1") return -1;
  std::string unit;
  size_t digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos) digits = text.size();
  for (const char c : trim(text.substr(digits)))
    unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  static constexpr std::string_view kPrefixes = "kmgtp";
  double factor = 1;
  if (!unit.empty() && unit != "b") {
    const size_t power = kPrefixes.find(unit[0]);
    const std::string_view rest = std::string_view(unit).substr(1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b" && rest != "ib"))
      return std::nullopt;
    factor = static_cast<double>(int64_t{1} << (10 * (power + 1)));
  }
  const auto number = parse_number<double>(text.substr(0, digits), 10);
  constexpr double kMax = 9.2e18;
  if (!number || *number * factor > kMax) return std::nullopt;
  return static_cast<int64_t>(*number * factor);
}

}  // namespace hull::cmd

#include "libruntime/system/number_list.h"

#include "libruntime/system/text.h"

namespace hull {
namespace {

void set_bit(std::vector<uint64_t>& mask, unsigned number) {
  if (mask.size() <= number / 64) mask.resize(number / 64 + 1);
  mask[number / 64] |= uint64_t{1} << number % 64;
}

}  // namespace

std::optional<std::vector<uint64_t>> parse_number_list(std::string_view text) {
  std::vector<uint64_t> mask;
  for (const std::string_view piece : split(text, ',')) {
    const std::string_view entry = trim(piece);
    if (entry.empty()) continue;
    const size_t dash = entry.find('-');
    const auto first = parse_number<unsigned>(entry.substr(0, dash));
    const auto last =
        dash == std::string_view::npos ? first : parse_number<unsigned>(entry.substr(dash + 1));
    if (!first || !last || *first > *last || *last > kMaxListed) return std::nullopt;
    for (unsigned number = *first; number <= *last; ++number) set_bit(mask, number);
  }
  return mask;
}

}  // namespace hull

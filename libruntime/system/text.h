#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace hull {

// The whole text as a number of type T, or nothing: no sign, space or overflow slips through.
template <class T>
std::optional<T> parse_number(std::string_view text, int base = 10) {
  T value{};
  std::from_chars_result result;
  if constexpr (std::is_floating_point_v<T>) {
    result = std::from_chars(text.data(), text.data() + text.size(), value);
  } else {
    result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  }
  const auto [end, error] = result;
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

// The pieces between separators; empty pieces are kept.
std::vector<std::string_view> split(std::string_view text, char separator);

// Without white space at both ends.
std::string_view trim(std::string_view text);

// The path without "//", "." and "..", as Go's filepath.Clean: "/a/../b/" -> "/b", "" -> ".".
std::string clean_path(std::string_view path);

// Whether `path` is `base` or lies below it, compared by component (both cleaned, absolute).
bool path_is_below(std::string_view path, std::string_view base);

}  // namespace hull

#include "specconv/gvariant.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::specconv {
namespace {

constexpr std::array<std::string_view, 9> kNumberTypes{
    "byte", "int16", "uint16", "int32", "uint32", "handle", "int64", "uint64", "double"};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// "0x1f", "017", "-5"
template <class T>
std::optional<T> parse_integer(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  int base = 10;
  if (text.starts_with("0x") || text.starts_with("0X")) {
    base = 16;
    text.remove_prefix(2);
  } else if (text.size() > 1 && text.starts_with('0')) {
    base = 8;
  }
  return parse_number<T>((negative ? "-" : "") + std::string(text), base);
}

}  // namespace

bool GVariantReader::boolean() {
  type("boolean", 'b');
  const std::string_view text = word();
  if (text != "true" && text != "false") throw Error("is not true or false");
  return text == "true";
}

int32_t GVariantReader::int32() {
  type("int32", 'i');
  return integer<int32_t>();
}

uint32_t GVariantReader::uint32() {
  type("uint32", 'u');
  return integer<uint32_t>();
}

uint64_t GVariantReader::uint64() {
  type("uint64", 't');
  return integer<uint64_t>();
}

std::string GVariantReader::string() {
  type("string", 's');
  return quoted_text();
}

std::vector<std::string> GVariantReader::strings() {
  skip_blanks();
  if (take('@')) {
    if (!rest_.starts_with("as")) throw Error("is not of type as");
    rest_.remove_prefix(2);
    skip_blanks();
  }
  if (!take('[')) throw Error("is no list of strings");
  std::vector<std::string> out;
  skip_blanks();
  if (take(']')) return out;
  do {
    out.push_back(string());
    skip_blanks();
  } while (take(','));
  if (!take(']')) throw Error("is a list without an end");
  return out;
}

uint64_t GVariantReader::seconds() {
  constexpr uint64_t kMicroseconds = 1000000;
  number_type();
  const std::string_view text = number_text();
  if (const auto whole = parse_integer<uint64_t>(text)) {
    if (*whole > UINT64_MAX / kMicroseconds) throw Error("is too large");
    return *whole * kMicroseconds;
  }
  const auto value = parse_number<double>(text);
  if (!value || !(*value >= 0) || *value > 1e12) throw Error("is no number of seconds");
  return static_cast<uint64_t>(std::llround(*value * static_cast<double>(kMicroseconds)));
}

void GVariantReader::end() {
  skip_blanks();
  if (!rest_.empty()) throw Error("has more after its value: " + quote(rest_));
}

// A type may stand before the value, by its name or its code.
void GVariantReader::type(std::string_view name, char code) {
  skip_blanks();
  if (take('@')) {
    if (rest_.empty() || rest_[0] != code || (rest_.size() > 1 && rest_[1] != ' '))
      throw Error("is not of type " + std::string(1, code));
    rest_.remove_prefix(1);
  } else if (rest_.starts_with(name)) {
    rest_.remove_prefix(name.size());
  }
  skip_blanks();
}

void GVariantReader::number_type() {
  skip_blanks();
  if (rest_.empty() || !is_letter(rest_[0])) return;
  const std::string_view name = word();
  if (std::ranges::find(kNumberTypes, name) == kNumberTypes.end()) throw Error("is no number");
  skip_blanks();
}

std::string_view GVariantReader::word() {
  size_t size = 0;
  while (size < rest_.size() && (is_letter(rest_[size]) || is_digit(rest_[size]))) ++size;
  const std::string_view out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

std::string_view GVariantReader::number_text() {
  size_t size = 0;
  while (size < rest_.size() &&
         (is_letter(rest_[size]) || is_digit(rest_[size]) ||
          std::string_view("+-.").find(rest_[size]) != std::string_view::npos))
    ++size;
  const std::string_view out = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return out;
}

template <class T>
T GVariantReader::integer() {
  const std::string_view text = number_text();
  const auto value = parse_integer<T>(text);
  if (!value)
    throw Error("is no number from " + std::to_string(std::numeric_limits<T>::min()) + " to " +
                std::to_string(std::numeric_limits<T>::max()));
  return *value;
}

std::string GVariantReader::quoted_text() {
  if (rest_.empty() || (rest_[0] != '\'' && rest_[0] != '"'))
    throw Error("is no string in quotation marks");
  const char mark = rest_[0];
  rest_.remove_prefix(1);
  std::string out;
  while (!rest_.empty()) {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (c == mark) return out;
    out += c == '\\' ? escape() : c;
  }
  throw Error("is a string without an end");
}

char GVariantReader::escape() {
  if (rest_.empty()) throw Error("is a string without an end");
  const char c = rest_[0];
  rest_.remove_prefix(1);
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case '\\':
    case '\'':
    case '"':
      return c;
    default:
      throw Error("has an unknown escape in a string: \\" + std::string(1, c));
  }
}

void GVariantReader::skip_blanks() {
  while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\t')) rest_.remove_prefix(1);
}

bool GVariantReader::take(char c) {
  if (rest_.empty() || rest_[0] != c) return false;
  rest_.remove_prefix(1);
  return true;
}

}  // namespace hull::specconv

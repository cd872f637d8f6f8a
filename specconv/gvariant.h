#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hull::specconv {

// Reads one value in GVariant's text form ("GVariant text format" of GLib), of a type that the
// caller knows: "true", "uint64 5", "'text'", "['a', \"b\"]", "@as []". Throws hull::Error that
// says what is wrong.
class GVariantReader {
 public:
  explicit GVariantReader(std::string_view text) : rest_(text) {}

  bool boolean();
  int32_t int32();
  uint32_t uint32();
  uint64_t uint64();
  std::string string();
  std::vector<std::string> strings();
  // A number of any type, of seconds, as microseconds.
  uint64_t seconds();
  // Nothing may come after the value.
  void end();

 private:
  void type(std::string_view name, char code);
  void number_type();
  std::string_view word();
  std::string_view number_text();
  template <class T>
  T integer();
  std::string quoted_text();
  char escape();
  void skip_blanks();
  bool take(char c);

  std::string_view rest_;
};

}  // namespace hull::specconv

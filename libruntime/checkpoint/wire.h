#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// The wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding), as far as CRIU's
// RPC uses it: numbers (varints) and bytes (strings, messages). Written by hand because
// protobuf-lite works at static initialisation, of every command.
namespace hull::checkpoint {

// Builds one message, field by field.
class WireWriter {
 public:
  // int32, uint32, bool and enum fields; a negative number takes ten bytes, as the format has it.
  void number(unsigned field, int64_t value);
  // string, bytes and message fields.
  void bytes(unsigned field, std::string_view value);
  void message(unsigned field, const WireWriter& value) { bytes(field, value.text()); }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void varint(uint64_t value);
  std::string text_;
};

struct WireField {
  unsigned number = 0;
  int64_t value = 0;       // of a number
  std::string_view bytes;  // of anything else; lies in the message
};

// Takes a message apart.
class WireReader {
 public:
  explicit WireReader(std::string_view message) : rest_(message) {}
  // The next field; false at the end. Throws Error when the bytes are no message.
  bool next(WireField& field);

 private:
  uint64_t varint();
  std::string_view take(uint64_t count);
  std::string_view rest_;
};

}  // namespace hull::checkpoint

#include "libruntime/checkpoint/wire.h"

#include "libruntime/system/error.h"

namespace hull::checkpoint {
namespace {

enum WireType : unsigned { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

}  // namespace

void WireWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) text_ += static_cast<char>(value | 0x80);
  text_ += static_cast<char>(value);
}

void WireWriter::number(unsigned field, int64_t value) {
  varint(uint64_t{field} << 3 | kVarint);
  varint(static_cast<uint64_t>(value));
}

void WireWriter::bytes(unsigned field, std::string_view value) {
  varint(uint64_t{field} << 3 | kBytes);
  varint(value.size());
  text_ += value;
}

uint64_t WireReader::varint() {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(take(1)[0]);
    value |= uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  throw Error("criu's message holds a number without an end");
}

std::string_view WireReader::take(uint64_t count) {
  if (count > rest_.size()) throw Error("criu's message is cut off");
  const std::string_view out = rest_.substr(0, static_cast<size_t>(count));
  rest_.remove_prefix(out.size());
  return out;
}

bool WireReader::next(WireField& field) {
  if (rest_.empty()) return false;
  const uint64_t tag = varint();
  field = {};
  field.number = static_cast<unsigned>(tag >> 3);
  switch (tag & 7) {
    case kVarint:
      field.value = static_cast<int64_t>(varint());
      return true;
    case kBytes:
      field.bytes = take(varint());
      return true;
    case kFixed64:
      field.bytes = take(8);
      return true;
    case kFixed32:
      field.bytes = take(4);
      return true;
    default:
      throw Error("criu's message holds a field of unknown type");
  }
}

}  // namespace hull::checkpoint

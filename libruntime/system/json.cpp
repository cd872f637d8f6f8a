#include "libruntime/system/json.h"

#include <rapidjson/error/en.h>

#include <algorithm>

#include "libruntime/system/error.h"

namespace hull {
namespace {

// Iterative: nesting must not cost our stack.
constexpr unsigned kFlags = rapidjson::kParseInsituFlag | rapidjson::kParseValidateEncodingFlag |
                            rapidjson::kParseIterativeFlag;

// RapidJSON takes the bytes that the first one of a UTF-8 sequence announces before it looks at
// them: up to three, past the end of a text that is cut off there.
constexpr size_t kPadding = 4;

// Of a byte in a text that was parsed in place: the parser leaves the lines as they are.
std::string position(std::string_view text, size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(before.size() - start + 1);
}

}  // namespace

JsonText::JsonText(std::string text) : text_(std::move(text)) {
  // The parser stops at a NUL and would not see what follows.
  const size_t end = text_.find('\0');
  if (end == std::string::npos) {
    text_.append(kPadding, '\0');
    document_.ParseInsitu<kFlags>(text_.data());
    if (!document_.HasParseError()) return;
  }
  const size_t offset = end == std::string::npos ? document_.GetErrorOffset() : end;
  const char* why = end == std::string::npos
                        ? rapidjson::GetParseError_En(document_.GetParseError())
                        : "A NUL byte.";
  throw Error("parse error at " + position(text_, offset) + ": " + why);
}

const JsonValue* find_member(const JsonValue& object, std::string_view key) {
  for (auto member = object.MemberEnd(); member != object.MemberBegin();) {
    --member;
    if (text_of(member->name) == key) return member->value.IsNull() ? nullptr : &member->value;
  }
  return nullptr;
}

}  // namespace hull

#pragma once

#include <rapidjson/document.h>

#include <string>
#include <string_view>

// Reading JSON, on the way of every command: RapidJSON, which parses in place (15 instructions a
// byte where nlohmann's tree takes 150). Whatever writes JSON or is no hot path uses nlohmann_json.
// For .cpp files only.
namespace hull {

using JsonValue = rapidjson::Value;

// A text and its tree. Throws Error "parse error at line L, column C: ..." when it is no JSON (RFC
// 8259, UTF-8).
class JsonText {
 public:
  explicit JsonText(std::string text);
  [[nodiscard]] const JsonValue& root() const { return document_; }

 private:
  std::string text_;  // the tree's strings lie in it
  rapidjson::Document document_;
};

inline std::string_view text_of(const JsonValue& string) {
  return {string.GetString(), string.GetStringLength()};
}

// A member of an object, or null when it is absent or null; of several with one name the last, as
// in Go.
const JsonValue* find_member(const JsonValue& object, std::string_view key);

}  // namespace hull

#include "specconv/node.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "libruntime/system/files.h"
#include "libruntime/system/json.h"

namespace hull::specconv {
namespace {

constexpr int kMaxDepth = 64;
// Bounds the tree's memory: 16 MiB of "0,0,0" would be 8 million values.
constexpr size_t kMaxValues = size_t{1} << 20;

// Looks at brackets and commas outside of strings only; whether the text is JSON is the parser's
// business.
void check_bounds(std::string_view text) {
  if (text.size() > kMaxFileSize) throw Error("the JSON text is longer than 16 MiB");
  int depth = 0;
  size_t values = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
      continue;
    }
    if (c == '"') in_string = true;
    if (c == ',') ++values;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) throw Error("the JSON text is nested deeper than 64 levels");
    if (values > kMaxValues) throw Error("the JSON text has more than 1048576 values");
  }
}

std::string as_json(const JsonValue& value) {
  rapidjson::StringBuffer out;
  rapidjson::Writer<rapidjson::StringBuffer> writer(out);
  value.Accept(writer);
  return out.GetString();
}

}  // namespace

Document::Document(std::string_view text) {
  check_bounds(text);
  try {
    json_ = std::make_unique<JsonText>(std::string(text));
  } catch (const Error& e) {
    throw Error("invalid JSON: " + e.message());
  }
}

Document::~Document() = default;

Node Document::root(Problems& problems) const {
  if (json_->root().IsObject()) return {&json_->root(), problems};
  problems.add("", "must be an object");
  return {nullptr, problems};
}

std::string Node::pointer() const {
  if (parent_ == nullptr) return {};
  return parent_->pointer() +
         (key_.data() != nullptr ? pointer_part(key_) : "/" + std::to_string(index_));
}

void Node::problem(std::string_view key, std::string text) const {
  problems_->add(pointer() + pointer_part(key), std::move(text));
}

Node Node::member(std::string_view key) const {
  if (value_ == nullptr) return {nullptr, *this, key};
  return {value_->IsObject() ? find_member(*value_, key) : nullptr, *this, key};
}

Node Node::object(std::string_view key) const {
  Node found = member(key);
  if (found.present() && !found.is_object()) found.value_ = nullptr;
  return found;
}

bool Node::has_members() const {
  return value_ != nullptr && value_->IsObject() && value_->MemberCount() > 0;
}

void Node::require(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys)
    if (!member(key).present()) problem(key, "is required");
}

bool Node::is_text() const { return value_ != nullptr && value_->IsString(); }
bool Node::is_list() const { return value_ != nullptr && value_->IsArray(); }
bool Node::is_map() const { return value_ != nullptr && value_->IsObject(); }

bool Node::is_object() const {
  if (value_ != nullptr && value_->IsObject()) {
    if (value_->MemberCount() <= kMaxEntries) return true;
    problem("has too many entries");
    return false;
  }
  problem("must be an object");
  return false;
}

size_t Node::list_size() const {
  if (value_ == nullptr) return 0;
  if (!value_->IsArray()) {
    problem("must be a list");
    return 0;
  }
  if (value_->Size() > kMaxEntries) {
    problem("has too many entries");
    return 0;
  }
  return value_->Size();
}

Node Node::at(size_t index) const {
  return {&(*value_)[static_cast<rapidjson::SizeType>(index)], *this, index};
}

std::vector<std::string_view> Node::keys() const {
  std::vector<std::string_view> out;
  if (!is_map()) return out;
  out.reserve(value_->MemberCount());
  for (const auto& [name, value] : value_->GetObject()) {
    const std::string_view key = text_of(name);
    if (key.find('\0') != std::string_view::npos) {
      problem("a key contains nul byte (\\x00)");
    } else {
      out.push_back(key);
    }
  }
  return out;
}

// No field of config.json can hold a NUL: all of them end in system calls that take C strings.
bool Node::text(std::string& out) const {
  if (value_ == nullptr) return false;
  if (!value_->IsString()) {
    problem("must be a string");
    return false;
  }
  const std::string_view text = text_of(*value_);
  if (text.find('\0') != std::string_view::npos) {
    problem("contains nul byte (\\x00)");
    return false;
  }
  out = text;
  return true;
}

bool Node::integer(int64_t min, uint64_t max, int64_t& low, uint64_t& high) const {
  if (value_ == nullptr) return false;
  if (value_->IsUint64()) {
    high = value_->GetUint64();
    if (high <= max) return true;
  } else if (value_->IsInt64()) {
    low = value_->GetInt64();
    high = 0;
    if (low >= min) return true;
  } else if (!value_->IsNumber()) {
    problem("must be a number");
    return false;
  }
  problem("must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
          ", not " + as_json(*value_));
  return false;
}

bool Node::read(std::string_view key, std::string& out) const { return member(key).text(out); }

bool Node::read(std::string_view key, bool& out) const {
  const Node node = member(key);
  if (!node.present()) return false;
  if (!node.value_->IsBool()) {
    node.problem("must be true or false");
    return false;
  }
  out = node.value_->GetBool();
  return true;
}

bool Node::read(std::string_view key, std::vector<std::string>& out) const {
  const Node list = member(key);
  if (!list.present() || !list.value_->IsArray()) {
    if (list.present()) list.problem("must be a list");
    return false;
  }
  const size_t count = list.list_size();
  out.reserve(out.size() + count);
  for (size_t i = 0; i < count; ++i) list.at(i).text(out.emplace_back());
  return true;
}

bool Node::read(std::string_view key, std::vector<uint32_t>& out) const {
  const Node list = member(key);
  const size_t count = list.list_size();
  for (size_t i = 0; i < count; ++i) list.at(i).number(out.emplace_back());
  return count != 0;
}

bool Node::read(std::string_view key, std::map<std::string, std::string>& out) const {
  const Node map = object(key);
  for (const std::string_view name : map.keys()) {
    std::string value;
    // Null is Go's empty string here: the key itself says something.
    if (map.member(name).text(value) || !map.member(name).present())
      out[std::string(name)] = std::move(value);
  }
  return map.present();
}

}  // namespace hull::specconv

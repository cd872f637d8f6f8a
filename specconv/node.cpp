#include "specconv/node.h"

#include <nlohmann/json.hpp>

#include "libruntime/system/files.h"

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

}  // namespace

Document::Document(std::string_view text) {
  check_bounds(text);
  try {
    json_ = std::make_unique<nlohmann::json>(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& e) {
    std::string_view what =
        e.what();  // "[json.exception.parse_error.101] parse error at line 3, ..."
    if (const size_t end = what.find("] "); what.starts_with('[') && end != std::string_view::npos)
      what.remove_prefix(end + 2);
    throw Error("invalid JSON: " + std::string(what));
  }
}

Document::~Document() = default;

Node Document::root(Problems& problems) const {
  if (json_->is_object()) return {json_.get(), problems};
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
  const auto found = value_->find(key);
  const bool absent = found == value_->end() || found->is_null();
  return {absent ? nullptr : &*found, *this, key};
}

Node Node::object(std::string_view key) const {
  Node found = member(key);
  if (found.present() && !found.is_object()) found.value_ = nullptr;
  return found;
}

bool Node::has_members() const { return value_ != nullptr && !value_->empty(); }

void Node::require(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys)
    if (!member(key).present()) problem(key, "is required");
}

bool Node::is_object() const {
  if (value_ != nullptr && value_->is_object()) {
    if (value_->size() <= kMaxEntries) return true;
    problem("has too many entries");
    return false;
  }
  problem("must be an object");
  return false;
}

size_t Node::list_size() const {
  if (value_ == nullptr) return 0;
  if (!value_->is_array()) {
    problem("must be a list");
    return 0;
  }
  if (value_->size() > kMaxEntries) {
    problem("has too many entries");
    return 0;
  }
  return value_->size();
}

Node Node::at(size_t index) const { return {&(*value_)[index], *this, index}; }

std::vector<std::string_view> Node::keys() const {
  std::vector<std::string_view> out;
  if (value_ == nullptr) return out;
  out.reserve(value_->size());
  for (auto it = value_->begin(); it != value_->end(); ++it) {
    if (it.key().find('\0') != std::string::npos) {
      problem("a key contains nul byte (\\x00)");
    } else {
      out.emplace_back(it.key());
    }
  }
  return out;
}

// No field of config.json can hold a NUL: all of them end in system calls that take C strings.
bool Node::text(std::string& out) const {
  if (value_ == nullptr) return false;
  const auto* text = value_->get_ptr<const std::string*>();
  if (text == nullptr) {
    problem("must be a string");
    return false;
  }
  if (text->find('\0') != std::string::npos) {
    problem("contains nul byte (\\x00)");
    return false;
  }
  out = *text;
  return true;
}

bool Node::integer(int64_t min, uint64_t max, int64_t& low, uint64_t& high) const {
  if (value_ == nullptr) return false;
  if (const auto* natural = value_->get_ptr<const uint64_t*>(); natural != nullptr) {
    high = *natural;
    if (high <= max) return true;
  } else if (const auto* whole = value_->get_ptr<const int64_t*>(); whole != nullptr) {
    low = *whole;
    high = 0;
    if (low >= min) return true;
  } else if (!value_->is_number()) {
    problem("must be a number");
    return false;
  }
  problem("must be a whole number from " + std::to_string(min) + " to " + std::to_string(max) +
          ", not " + value_->dump());
  return false;
}

bool Node::read(std::string_view key, std::string& out) const { return member(key).text(out); }

bool Node::read(std::string_view key, bool& out) const {
  const Node node = member(key);
  if (!node.present()) return false;
  if (!node.value_->is_boolean()) {
    node.problem("must be true or false");
    return false;
  }
  out = *node.value_->get_ptr<const bool*>();
  return true;
}

bool Node::read(std::string_view key, std::vector<std::string>& out) const {
  const Node list = member(key);
  if (!list.present() || !list.value_->is_array()) {
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

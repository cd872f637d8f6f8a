#pragma once

#include <rapidjson/fwd.h>

#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libruntime/system/error.h"
#include "specconv/problem.h"

// Typed reading of a JSON tree for the parse*.cpp files: what is wrong is noted with its pointer
// and reading goes on. The JSON library itself stays in node.cpp.
namespace hull {
class JsonText;
}

namespace hull::specconv {

// More entries than this in one list or map is no container but an attack on our memory.
inline constexpr size_t kMaxEntries = 65536;

// A JSON value and the road to it. Null counts as absent, as in Go. A node refers to its parent and
// must not outlive it.
class Node {
 public:
  Node(const rapidjson::Value* value, Problems& problems) : value_(value), problems_(&problems) {}

  [[nodiscard]] bool present() const { return value_ != nullptr; }
  [[nodiscard]] std::string pointer() const;
  // Notes a problem of this value, or of a member.
  void problem(std::string text) const { problems_->add(pointer(), std::move(text)); }
  void problem(std::string_view key, std::string text) const;

  // A member of an object; not present when it is missing or null.
  [[nodiscard]] Node member(std::string_view key) const;
  // The same, which must be an object when it is there.
  [[nodiscard]] Node object(std::string_view key) const;
  // Whether it is an object with something in it.
  [[nodiscard]] bool has_members() const;
  // Notes a problem for each of these members that is missing.
  void require(std::initializer_list<std::string_view> keys) const;

  // Each reads a member into `out` and says whether it was there and right; else `out` is
  // untouched.
  bool read(std::string_view key, std::string& out) const;
  bool read(std::string_view key, bool& out) const;
  bool read(std::string_view key, std::vector<std::string>& out) const;
  bool read(std::string_view key, std::vector<uint32_t>& out) const;
  bool read(std::string_view key, std::map<std::string, std::string>& out) const;
  template <std::integral T>
  bool read(std::string_view key, T& out) const {
    return member(key).number(out);
  }
  template <class T>
  bool read(std::string_view key, std::optional<T>& out) const {
    T value{};
    if (!read(key, value)) return false;
    out = std::move(value);
    return true;
  }
  // A string that must be the name of an entry of `table`; `value` is the entry's member to take.
  template <class Table, class Entry, class Value, class Out>
  bool read_name(std::string_view key, const Table& table, Value Entry::*value, Out& out) const {
    std::string name;
    if (!read(key, name)) return false;
    for (const Entry& entry : table) {
      if (entry.name != name) continue;
      out = static_cast<Out>(entry.*value);
      return true;
    }
    problem(key, "unknown value " + quote(name));
    return false;
  }
  // The same for a list of names.
  template <class Table, class Entry, class Value, class Out>
  void read_names(std::string_view key, const Table& table, Value Entry::*value,
                  std::vector<Out>& out) const {
    std::vector<std::string> names;
    if (!read(key, names)) return;
    for (size_t i = 0; i < names.size(); ++i) {
      const Entry* found = nullptr;
      for (const Entry& entry : table)
        if (entry.name == names[i]) found = &entry;
      if (found != nullptr) {
        out.push_back(static_cast<Out>(found->*value));
      } else {
        member(key).problem(std::to_string(i), "unknown value " + quote(names[i]));
      }
    }
  }
  // For members that come in several forms.
  [[nodiscard]] bool is_text() const;
  [[nodiscard]] bool is_list() const;
  [[nodiscard]] bool is_map() const;
  // The string that this is; false, with a problem noted, when it is none.
  bool text(std::string& out) const;
  // The names of an object's members.
  [[nodiscard]] std::vector<std::string_view> keys() const;
  // Calls `read_one(node)` for each entry of a list, whatever it is.
  template <class F>
  void each_entry(F&& read_one) const {
    const size_t count = list_size();
    for (size_t i = 0; i < count; ++i) read_one(at(i));
  }
  // Calls `read_one(node)` for each object of a list.
  template <class F>
  void each(std::string_view key, F&& read_one) const {
    const Node list = member(key);
    const size_t count = list.list_size();
    for (size_t i = 0; i < count; ++i) {
      const Node one = list.at(i);
      if (one.is_object()) read_one(one);
    }
  }
  // Calls `read_one(key, node)` for each member of a map of objects. A member that is null counts
  // as an empty object: the key itself says something.
  template <class F>
  void each_member(std::string_view key, F&& read_one) const {
    const Node map = object(key);
    for (const std::string_view name : map.keys()) {
      const Node one = map.member(name);
      if (!one.present() || one.is_object()) read_one(std::string(name), one);
    }
  }

 private:
  Node(const rapidjson::Value* value, const Node& parent, std::string_view key)
      : value_(value), problems_(parent.problems_), parent_(&parent), key_(key) {}
  Node(const rapidjson::Value* value, const Node& parent, size_t index)
      : value_(value), problems_(parent.problems_), parent_(&parent), index_(index) {}

  [[nodiscard]] bool is_object() const;    // notes a problem when not
  [[nodiscard]] size_t list_size() const;  // 0 when absent; notes a problem when no list
  [[nodiscard]] Node at(size_t index) const;
  bool integer(int64_t min, uint64_t max, int64_t& low, uint64_t& high) const;

  template <std::integral T>
  bool number(T& out) const {
    int64_t low = 0;
    uint64_t high = 0;
    using Limits = std::numeric_limits<T>;
    if (!integer(static_cast<int64_t>(Limits::min()), static_cast<uint64_t>(Limits::max()), low,
                 high)) {
      return false;
    }
    out = low < 0 ? static_cast<T>(low) : static_cast<T>(high);
    return true;
  }

  const rapidjson::Value* value_;
  Problems* problems_;
  const Node* parent_ = nullptr;
  std::string_view key_;
  size_t index_ = 0;
};

// The JSON tree of a text. Throws Error when the text is longer than 16 MiB, nested deeper than 64
// levels, or no JSON.
class Document {
 public:
  explicit Document(std::string_view text);
  ~Document();
  Document(const Document&) = delete;
  Document& operator=(const Document&) = delete;
  // The tree's root, which must be an object.
  [[nodiscard]] Node root(Problems& problems) const;

 private:
  std::unique_ptr<JsonText> json_;
};

}  // namespace hull::specconv

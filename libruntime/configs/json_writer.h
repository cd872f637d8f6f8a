#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// The members of JSON objects as Go's encoding/json writes them, on top of one of json_sinks.h.
namespace hull::configs {

template <class Sink>
class JsonWriter {
 public:
  explicit JsonWriter(Sink& out) : out_(out) {}

  template <class T>
  void put(std::string_view key, const T& value) {
    out_.key(key);
    if constexpr (std::is_same_v<T, std::string>) {
      out_.value(std::string_view(value));
    } else {
      out_.value(value);
    }
  }
  template <class T>
  void put(std::string_view key, const std::optional<T>& value) {
    out_.key(key);
    if (value) {
      out_.value(*value);
    } else {
      out_.null();
    }
  }
  // Go's omitempty.
  template <class T>
  void put_given(std::string_view key, const T& value) {
    if (value != T{}) put(key, value);
  }
  template <class T, class WriteOne>
  void list(std::string_view key, const std::vector<T>& values, WriteOne write_one) {
    out_.key(key);
    if (values.empty()) return out_.null();
    out_.begin_list();
    for (const T& one : values) write_one(one);
    out_.end_list();
  }
  template <class T, class WriteOne>
  void list_given(std::string_view key, const std::vector<T>& values, WriteOne write_one) {
    if (!values.empty()) list(key, values, write_one);
  }
  void strings(std::string_view key, const std::vector<std::string>& values) {
    list(key, values, [this](const std::string& one) { out_.value(std::string_view(one)); });
  }
  void strings(std::string_view key, const std::map<std::string, std::string>& values) {
    out_.key(key);
    if (values.empty()) return out_.null();
    out_.begin_object();
    for (const auto& [name, value] : values) {
      out_.text_key(name);
      out_.value(std::string_view(value));
    }
    out_.end_object();
  }

  // A member that is an object; `write_members()` fills it.
  template <class F>
  void object(std::string_view key, F write_members) {
    out_.key(key);
    out_.begin_object();
    write_members();
    out_.end_object();
  }
  // The same with a key that came from a user.
  template <class F>
  void text_object(std::string_view key, F write_members) {
    out_.text_key(key);
    out_.begin_object();
    write_members();
    out_.end_object();
  }
  // Lists and objects within lists whose caller writes the end.
  void begin_list(std::string_view key) {
    out_.key(key);
    out_.begin_list();
  }
  void end_list() { out_.end_list(); }
  void begin_object() { out_.begin_object(); }
  void end_object() { out_.end_object(); }
  void null(std::string_view key) {
    out_.key(key);
    out_.null();
  }
  // An entry of a list.
  template <class T>
  void value(const T& value) {
    out_.value(value);
  }

 protected:
  Sink& out_;
};

}  // namespace hull::configs

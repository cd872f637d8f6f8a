#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "libruntime/system/error.h"

// Values to bytes and back, for messages between launcher and hull-init: the same executable at
// both ends, so there is no version. A struct takes part by a function
//   template <class A> void fields(A& archive, T& value) { archive(value.a, value.b); }
// beside it, which serves both directions. A flat binary form (not CBOR through a JSON library)
// because hull-init's peak memory counts.
namespace hull::plan {

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) {
    (put(values), ...);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  template <class T>
  void put(const T& value) {
    if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      out_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else {
      fields(*this, const_cast<T&>(value));  // fields() only reads through a Writer
    }
  }
  void put(const std::string& text) {
    put(text.size());
    out_ += text;
  }
  template <class T>
  void put(const std::vector<T>& list) {
    put(list.size());
    if constexpr (std::is_arithmetic_v<T>) {
      out_.append(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(T));
    } else {
      for (const T& one : list) put(one);
    }
  }
  template <class T>
  void put(const std::optional<T>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  template <class K, class V>
  void put(const std::map<K, V>& map) {
    put(map.size());
    for (const auto& [key, value] : map) (*this)(key, value);
  }

  std::string out_;
};

// Throws Error when the bytes end early: what comes from inside a container is not trusted.
class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  template <class... T>
  void operator()(T&... values) {
    (get(values), ...);
  }
  [[nodiscard]] bool at_end() const { return in_.empty(); }

 private:
  std::string_view bytes(size_t count) {
    if (count > in_.size()) throw Error("malformed message: it ends early");
    const std::string_view out = in_.substr(0, count);
    in_.remove_prefix(count);
    return out;
  }
  // A list of n entries needs at least n bytes: a wild count can't make us allocate.
  size_t count() {
    size_t n = 0;
    get(n);
    if (n > in_.size()) throw Error("malformed message: a count is too large");
    return n;
  }
  template <class T>
  void get(T& value) {
    if constexpr (std::is_same_v<T, bool>) {
      value = bytes(1)[0] != 0;
    } else if constexpr (std::is_arithmetic_v<T> || std::is_enum_v<T>) {
      std::memcpy(&value, bytes(sizeof value).data(), sizeof value);
    } else {
      fields(*this, value);
    }
  }
  void get(std::string& text) { text = bytes(count()); }
  template <class T>
  void get(std::vector<T>& list) {
    const size_t n = count();
    if constexpr (std::is_arithmetic_v<T>) {
      const std::string_view raw = bytes(n * sizeof(T));
      list.resize(n);
      if (n != 0) std::memcpy(list.data(), raw.data(), raw.size());
    } else {
      list.resize(n);
      for (T& one : list) get(one);
    }
  }
  template <class T>
  void get(std::optional<T>& value) {
    bool present = false;
    get(present);
    if (present)
      get(value.emplace());
    else
      value.reset();
  }
  template <class K, class V>
  void get(std::map<K, V>& map) {
    for (size_t n = count(); n > 0; --n) {
      K key;
      get(key);
      get(map[key]);
    }
  }

  std::string_view in_;
};

template <class T>
std::string encode(const T& value) {
  Writer writer;
  writer(value);
  return writer.take();
}

template <class T>
T decode(std::string_view bytes) {
  Reader reader(bytes);
  T value{};
  reader(value);
  if (!reader.at_end()) throw Error("malformed message: bytes are left over");
  return value;
}

}  // namespace hull::plan

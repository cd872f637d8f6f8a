#pragma once

#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libruntime/system/error.h"
#include "libruntime/system/json.h"

// Typed members of state.json. Each throws Error when one has a wrong type
// or range. For .cpp files only: it pulls in the JSON library.
namespace hull::configs::reading {

using Json = JsonValue;

[[noreturn]] inline void refuse(std::string_view key, std::string_view why) {
  throw Error("state.json is damaged: " + std::string(key) + " " + std::string(why));
}

// A member, or null when it is absent or null. runc 1.1 writes many nulls, later ones leave members
// out.
inline const Json* find(const Json& object, const char* key) {
  if (!object.IsObject()) refuse(key, "is not within an object");
  return find_member(object, key);
}

inline void to_value(const Json& in, const char* key, std::string& out) {
  if (!in.IsString()) refuse(key, "is no string");
  out = text_of(in);
}

inline void to_value(const Json& in, const char* key, bool& out) {
  if (!in.IsBool()) refuse(key, "is no boolean");
  out = in.GetBool();
}

template <std::integral T>
void to_value(const Json& in, const char* key, T& out) {
  using Limits = std::numeric_limits<T>;
  if (in.IsUint64()) {
    if (!std::in_range<T>(in.GetUint64())) refuse(key, "is too large");
    out = static_cast<T>(in.GetUint64());
  } else if (in.IsInt64()) {
    const int64_t whole = in.GetInt64();
    if (!std::in_range<T>(whole)) refuse(key, Limits::is_signed ? "is too small" : "is negative");
    out = static_cast<T>(whole);
  } else {
    refuse(key, "is no whole number");
  }
}

// Says whether the member was there.
template <class T>
bool get(const Json& object, const char* key, T& out) {
  const Json* value = find(object, key);
  if (value == nullptr) return false;
  to_value(*value, key, out);
  return true;
}

template <class T>
void get(const Json& object, const char* key, std::optional<T>& out) {
  if (const Json* value = find(object, key); value != nullptr) to_value(*value, key, out.emplace());
}

template <class T, class ReadOne>
void get_list(const Json& object, const char* key, std::vector<T>& out, ReadOne read_one) {
  out.clear();
  const Json* list = find(object, key);
  if (list == nullptr) return;
  if (!list->IsArray()) refuse(key, "is no list");
  out.reserve(list->Size());
  for (const Json& one : list->GetArray()) read_one(one, out.emplace_back());
}

template <class T>
void get_list(const Json& object, const char* key, std::vector<T>& out) {
  get_list(object, key, out, [key](const Json& in, T& one) { to_value(in, key, one); });
}

template <class T, class ReadOne>
void get_map(const Json& object, const char* key, std::map<std::string, T>& out, ReadOne read_one) {
  out.clear();
  const Json* map = find(object, key);
  if (map == nullptr) return;
  if (!map->IsObject()) refuse(key, "is no object");
  for (const auto& [name, value] : map->GetObject())
    read_one(value, out[std::string(text_of(name))]);
}

inline void get_map(const Json& object, const char* key, std::map<std::string, std::string>& out) {
  get_map(object, key, out, [key](const Json& in, std::string& one) { to_value(in, key, one); });
}

template <class Table, class Value>
void get_number_name(const Json& object, const char* key, const Table& table, Value& out) {
  int number = 0;
  get(object, key, number);
  for (const auto& [known, value] : table) {
    if (known != number) continue;
    out = value;
    return;
  }
  refuse(key, "has an unknown value");
}

// A name of a table of NumberName.
template <class Table, class Value>
void to_named_value(const Json& in, const char* key, const Table& table, Value& out) {
  std::string name;
  to_value(in, key, name);
  for (const auto& entry : table) {
    if (entry.name != name) continue;
    out = static_cast<Value>(entry.value);
    return;
  }
  refuse(key, "has an unknown value " + quote(name));
}

template <class Table, class Value>
void get_name(const Json& object, const char* key, const Table& table, Value& out) {
  if (const Json* value = find(object, key); value != nullptr)
    to_named_value(*value, key, table, out);
}

}  // namespace hull::configs::reading

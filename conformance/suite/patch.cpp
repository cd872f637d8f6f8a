#include "conformance/suite/patch.h"

#include <algorithm>

namespace hull::conformance {
namespace {

bool names(const Json& wanted, const Json& entry) {
  if (entry == wanted) return true;
  if (!entry.is_object()) return false;
  for (const char* key : {"destination", "type", "path"})
    if (entry.contains(key) && entry.at(key) == wanted) return true;
  return false;
}

Json& list_at(Json& target, const std::string& key) {
  Json& list = target[key];
  if (list.is_null()) list = Json::array();
  return list;
}

void remove_from(Json& list, const Json& wanted) {
  for (const Json& name : wanted)
    list.erase(std::remove_if(list.begin(), list.end(),
                              [&](const Json& entry) { return names(name, entry); }),
               list.end());
}

bool changes_list(const std::string& key, const Json& value) {
  return key.size() > 1 && value.is_array() && (key.back() == '+' || key.back() == '-');
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Json substitute_text(const std::string& text,
                     const std::function<Json(const std::string&)>& value_of) {
  std::string result;
  size_t at = 0;
  for (;;) {
    const size_t begin = text.find("${", at);
    const size_t end = begin == std::string::npos ? begin : text.find('}', begin);
    if (end == std::string::npos) return result + text.substr(at);
    const Json value = value_of(text.substr(begin + 2, end - begin - 2));
    if (begin == 0 && end + 1 == text.size() && !value.is_discarded()) return value;
    result += text.substr(at, begin - at);
    result += value.is_discarded() ? text.substr(begin, end + 1 - begin) : text_of(value);
    at = end + 1;
  }
}

}  // namespace

void apply_patch(Json& target, const Json& patch) {
  if (!patch.is_object()) {
    target = patch;
    return;
  }
  if (patch.contains("!null")) {
    target = nullptr;
    return;
  }
  if (!target.is_object()) target = Json::object();
  for (const auto& [key, value] : patch.items()) {
    if (changes_list(key, value)) continue;
    if (value.is_null())
      target.erase(key);
    else
      apply_patch(target[key], value);
  }
  for (const char sign : {'-', '+'})
    for (const auto& [key, value] : patch.items()) {
      if (!changes_list(key, value) || key.back() != sign) continue;
      Json& list = list_at(target, key.substr(0, key.size() - 1));
      if (sign == '-') remove_from(list, value);
      if (sign == '+') list.insert(list.end(), value.begin(), value.end());
    }
}

Json substitute(const Json& text, const std::function<Json(const std::string&)>& value_of) {
  if (text.is_string()) return substitute_text(text.get_ref<const std::string&>(), value_of);
  if (text.is_array()) {
    Json list = Json::array();
    for (const Json& entry : text) list.push_back(substitute(entry, value_of));
    return list;
  }
  if (text.is_object()) {
    Json map = Json::object();
    for (const auto& [key, value] : text.items())
      map[text_of(substitute_text(key, value_of))] = substitute(value, value_of);
    return map;
  }
  return text;
}

}  // namespace hull::conformance

#include "conformance/container/json_schema.h"

#include <algorithm>
#include <regex>
#include <set>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::conformance {
namespace {

using Json = nlohmann::json;

bool has_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "null") return value.is_null();
  throw Error("unknown type in a JSON schema: " + type);
}

bool has_one_of_types(const Json& value, const Json& types) {
  if (types.is_string()) return has_type(value, types);
  return std::any_of(types.begin(), types.end(),
                     [&](const Json& type) { return has_type(value, type); });
}

}  // namespace

const Json& JsonSchema::load(const std::string& file) {
  const auto [place, is_new] = files_.try_emplace(file);
  if (is_new) place->second = Json::parse(read_file(folder_ + "/" + file));
  return place->second;
}

std::string JsonSchema::problem(const std::string& file, const Json& value) {
  return check(file, load(file), value, "");
}

std::string JsonSchema::follow(const std::string& file, const std::string& reference,
                               const Json& value, const std::string& pointer) {
  const size_t hash = reference.find('#');
  const std::string target = hash == 0 ? file : reference.substr(0, hash);
  const std::string place = hash == std::string::npos ? "" : reference.substr(hash + 1);
  return check(target, load(target).at(Json::json_pointer(place)), value, pointer);
}

std::string JsonSchema::check(const std::string& file, const Json& schema, const Json& value,
                              const std::string& pointer) {
  for (const auto& keyword : schema.items()) {
    std::string problem = check_keyword(file, schema, keyword.key(), value, pointer);
    if (!problem.empty()) return problem;
  }
  return {};
}

size_t JsonSchema::matches(const std::string& file, const Json& schemas, const Json& value,
                           const std::string& pointer) {
  return static_cast<size_t>(std::count_if(schemas.begin(), schemas.end(), [&](const Json& schema) {
    return check(file, schema, value, pointer).empty();
  }));
}

std::string JsonSchema::check_keyword(const std::string& file, const Json& schema,
                                      const std::string& keyword, const Json& value,
                                      const std::string& pointer) {
  static const std::set<std::string> kNotes = {"description", "$schema", "id",
                                               "definitions", "default", "title"};
  const Json& rule = schema.at(keyword);
  const auto unless = [&](bool right) {
    return right ? std::string()
                 : pointer + ": " + value.dump() + " against " + keyword + " " + rule.dump();
  };
  if (kNotes.contains(keyword)) return {};
  if (keyword == "$ref") return follow(file, rule, value, pointer);
  if (keyword == "type") return unless(has_one_of_types(value, rule));
  if (keyword == "enum") return unless(std::find(rule.begin(), rule.end(), value) != rule.end());
  if (keyword == "pattern")
    return unless(!value.is_string() ||
                  std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>())));
  if (keyword == "minimum") return unless(!value.is_number() || value >= rule);
  if (keyword == "maximum") return unless(!value.is_number() || value <= rule);
  if (keyword == "minItems") return unless(!value.is_array() || value.size() >= rule);
  if (keyword == "oneOf") return unless(matches(file, rule, value, pointer) == 1);
  if (keyword == "anyOf") return unless(matches(file, rule, value, pointer) >= 1);
  if (keyword == "allOf") return unless(matches(file, rule, value, pointer) == rule.size());
  if (keyword == "required")
    return unless(!value.is_object() || std::all_of(rule.begin(), rule.end(), [&](const Json& key) {
      return value.contains(key);
    }));
  if (keyword == "items") {
    for (size_t i = 0; value.is_array() && i < value.size(); ++i) {
      std::string problem = check(file, rule, value[i], pointer + "/" + std::to_string(i));
      if (!problem.empty()) return problem;
    }
    return {};
  }
  if (keyword == "properties" || keyword == "patternProperties" ||
      keyword == "additionalProperties")
    return check_object(file, schema, value, pointer);
  throw Error("this test knows no keyword " + keyword + " of JSON schemas (" + file + ")");
}

// The three keywords depend on each other, so each checks all of them.
std::string JsonSchema::check_object(const std::string& file, const Json& schema, const Json& value,
                                     const std::string& pointer) {
  if (!value.is_object()) return {};
  const Json named = schema.value("properties", Json::object());
  const Json patterns = schema.value("patternProperties", Json::object());
  const Json rest = schema.value("additionalProperties", Json(true));
  for (const auto& member : value.items()) {
    const std::string where = pointer + "/" + member.key();
    std::string problem;
    bool known = false;
    const auto apply = [&](const Json& rule) {
      known = true;
      if (problem.empty()) problem = check(file, rule, member.value(), where);
    };
    if (named.contains(member.key())) apply(named.at(member.key()));
    for (const auto& rule : patterns.items())
      if (std::regex_search(member.key(), std::regex(rule.key()))) apply(rule.value());
    if (!known && rest.is_object()) apply(rest);
    if (!known && rest == false) problem = where + ": is not allowed";
    if (!problem.empty()) return problem;
  }
  return {};
}

}  // namespace hull::conformance

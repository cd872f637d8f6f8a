#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace hull::conformance {

// The part of JSON Schema (draft 4) that the specification's schemas use. A keyword that is not
// known here is an error: else a schema might demand what nobody checks.
class JsonSchema {
 public:
  // The schemas of a folder; they refer to each other by file name.
  explicit JsonSchema(std::string folder) : folder_(std::move(folder)) {}

  // What is wrong with `value` by the schema in this file, with its JSON pointer; empty: nothing.
  std::string problem(const std::string& file, const nlohmann::json& value);

 private:
  using Json = nlohmann::json;
  const Json& load(const std::string& file);
  std::string check(const std::string& file, const Json& schema, const Json& value,
                    const std::string& pointer);
  std::string check_keyword(const std::string& file, const Json& schema, const std::string& keyword,
                            const Json& value, const std::string& pointer);
  std::string follow(const std::string& file, const std::string& reference, const Json& value,
                     const std::string& pointer);
  std::string check_object(const std::string& file, const Json& schema, const Json& value,
                           const std::string& pointer);
  size_t matches(const std::string& file, const Json& schemas, const Json& value,
                 const std::string& pointer);

  std::string folder_;
  std::map<std::string, Json> files_;
};

}  // namespace hull::conformance

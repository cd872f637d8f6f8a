#include "conformance/suite/yaml.h"

#include <yaml-cpp/yaml.h>

#include <cstdint>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

Json plain_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null") return nullptr;
  if (text == "true") return true;
  if (text == "false") return false;
  if (text.starts_with("0o"))
    if (const auto number = parse_number<uint64_t>(text.substr(2), 8)) return *number;
  if (text.starts_with("0x"))
    if (const auto number = parse_number<uint64_t>(text.substr(2), 16)) return *number;
  const bool leading_zero = text.size() > 1 && text[0] == '0';
  if (!leading_zero) {
    if (const auto number = parse_number<int64_t>(text)) return *number;
    if (const auto number = parse_number<uint64_t>(text)) return *number;
  }
  return text;
}

Json untagged(const YAML::Node& node, bool quoted);

Json to_json(const YAML::Node& node) {
  const std::string& tag = node.Tag();  // "?": plain, "!": quoted, "!word": ours
  const bool ours = tag.size() > 1 && tag[0] == '!';
  Json value = untagged(node, tag == "!");
  return ours ? Json{{tag, value}} : value;
}

Json untagged(const YAML::Node& node, bool quoted) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return quoted ? Json(node.Scalar()) : plain_scalar(node.Scalar());
    case YAML::NodeType::Sequence: {
      Json list = Json::array();
      for (const YAML::Node& entry : node) list.push_back(to_json(entry));
      return list;
    }
    case YAML::NodeType::Map: {
      Json map = Json::object();
      for (const auto& entry : node) {
        const std::string& key = entry.first.Scalar();
        if (map.contains(key))
          throw Error("line " + std::to_string(entry.first.Mark().line + 1) + ": the key " +
                      quote(key) + " is there twice");
        map[key] = to_json(entry.second);
      }
      return map;
    }
    default:
      return nullptr;
  }
}

}  // namespace

Json parse_yaml(const std::string& text) {
  try {
    return to_json(YAML::Load(text));
  } catch (const YAML::Exception& error) {
    throw Error(error.what());
  }
}

Json read_yaml(const std::string& path) {
  try {
    return parse_yaml(read_file(path));
  } catch (Error& error) {
    error.set_stage("reading " + path);
    throw;
  }
}

}  // namespace hull::conformance

#include "conformance/suite/case.h"

#include <dirent.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string_view>

#include "conformance/suite/patch.h"
#include "conformance/suite/yaml.h"
#include "libruntime/system/error.h"

namespace hull::conformance {
namespace {

// What a case may say. README.md tells what each means.
const std::set<std::string>& case_keys() {
  static const std::set<std::string> keys = {
      "id",     "does",  "proves", "rows", "pending", "note",    "known",  "needs",    "with",
      "config", "files", "userns", "caps", "hooks",   "before",  "after",  "steps",    "sh",
      "args",   "sees",  "out",    "err",  "exit",    "refused", "cgroup", "neighbour"};
  return keys;
}

constexpr std::array kLevels = {"must", "should", "may", "row"};

std::string text_at(const Json& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::vector<std::string> list_at(const Json& map, const char* key) {
  std::vector<std::string> list;
  const auto found = map.find(key);
  if (found == map.end()) return list;
  if (found->is_string()) return {found->get<std::string>()};
  for (const Json& entry : *found) list.push_back(entry.get<std::string>());
  return list;
}

Rule read_rule(const std::string& section, const Json& yaml) {
  const std::string name = (yaml.contains("row") ? "" : section + "/") + text_at(yaml, "rule");
  Rule rule{name, "", "", text_at(yaml, "untested"), text_at(yaml, "note"), list_at(yaml, "tests")};
  for (const char* level : kLevels)
    if (yaml.contains(level)) {
      rule.level = level;
      rule.text = text_at(yaml, level);
    }
  if (rule.level.empty()) throw Error("the rule " + name + " has no level");
  std::transform(rule.level.begin(), rule.level.end(), rule.level.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return rule;
}

Case read_case(const std::string& section, const Json& yaml) {
  for (const auto& [key, value] : yaml.items())
    if (!case_keys().contains(key))
      throw Error("the case " + text_at(yaml, "id") + " has an unknown key: " + quote(key));
  Case one;
  one.id = section + "/" + text_at(yaml, "id");
  one.does = text_at(yaml, "does");
  for (const std::string& rule : list_at(yaml, "proves")) one.rules.push_back(section + "/" + rule);
  for (const std::string& row : list_at(yaml, "rows")) one.rules.push_back(row);
  one.pending = text_at(yaml, "pending");
  one.note = text_at(yaml, "note");
  one.needs = list_at(yaml, "needs");
  if (yaml.contains("known"))
    for (const auto& [peer, why] : yaml.at("known").items())
      one.known[peer] = why.get<std::string>();
  one.body = yaml;
  if (one.does.empty() || one.rules.empty() || text_at(yaml, "id").empty())
    throw Error("the case " + one.id + " needs `id`, `does`, and `proves` or `rows`");
  return one;
}

// A case with a table of variables stands for one case a row of it.
std::vector<Json> variants(const Json& yaml) {
  if (!yaml.contains("with")) return {yaml};
  std::vector<Json> all;
  Json form = yaml;
  form.erase("with");
  for (const Json& row : yaml.at("with"))
    all.push_back(substitute(form, [&](const std::string& name) {
      return row.contains(name) ? row.at(name) : Json(Json::value_t::discarded);
    }));
  return all;
}

void check_references(const std::vector<Section>& sections) {
  std::set<std::string> rules;
  std::set<std::string> ids;
  for (const Section& section : sections)
    for (const Rule& rule : section.rules)
      if (!rules.insert(rule.name).second) throw Error("the rule " + rule.name + " is there twice");
  for (const Section& section : sections)
    for (const Case& one : section.cases) {
      if (!ids.insert(one.id).second) throw Error("the case " + one.id + " is there twice");
      for (const std::string& rule : one.rules)
        if (!rules.contains(rule))
          throw Error("the case " + one.id + " proves " + quote(rule) +
                      ", which no file lists as a rule");
    }
}

}  // namespace

Section read_section(const std::string& name, const Json& yaml) {
  Section section{name, text_at(yaml, "section"), {}, {}};
  if (yaml.contains("rules"))
    for (const Json& rule : yaml.at("rules")) section.rules.push_back(read_rule(name, rule));
  if (yaml.contains("cases"))
    for (const Json& form : yaml.at("cases"))
      for (const Json& body : variants(form)) section.cases.push_back(read_case(name, body));
  return section;
}

std::vector<Section> read_sections(const std::string& directory) {
  std::vector<std::string> names;
  DIR* dir = opendir(directory.c_str());
  if (dir == nullptr) throw Error("there is no directory of cases at " + directory);
  while (const dirent* entry = readdir(dir))
    if (const std::string_view name = entry->d_name; name.ends_with(".yaml"))
      names.emplace_back(name.substr(0, name.size() - 5));
  closedir(dir);
  std::sort(names.begin(), names.end());
  std::vector<Section> sections;
  for (const std::string& name : names) {
    try {
      sections.push_back(read_section(name, read_yaml(directory + "/" + name + ".yaml")));
    } catch (Error& error) {
      error.set_stage(name + ".yaml");
      throw;
    } catch (const Json::exception& error) {
      throw Error(name + ".yaml: " + error.what());
    }
  }
  check_references(sections);
  return sections;
}

}  // namespace hull::conformance

#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace hull::conformance {

using Json = nlohmann::json;

// A sentence of the specification, or a row of the feature table, that cases prove.
struct Rule {
  std::string name;      // "config.md#root/readonly", or a row's ID: "B16"
  std::string level;     // "MUST", "SHOULD", "MAY", "ROW"
  std::string text;      // what it demands
  std::string untested;  // why no case can prove it
  std::string note;      // what a reader must know, for instance where suites and spec disagree
  // Tests beside the suite that prove it: "specconv/legacy_test", with the rule's name as a tag.
  std::vector<std::string> tests;
};

struct Case {
  std::string id;  // "root/readonly": the file's name, and the case's in it
  std::string does;
  std::vector<std::string> rules;  // names of rules
  std::string pending;             // why the runtime is not expected to pass yet
  std::string note;
  // A peer ("runc", or of one version: "runc 1.1") to why it fails, checked by hand.
  std::map<std::string, std::string> known;
  std::vector<std::string> needs;  // what the machine must have (needs.h)
  Json body;                       // all of it, for scene.h
};

// One file: a section of the specification, or a group of rows.
struct Section {
  std::string name;   // "root"
  std::string title;  // "config.md: root"
  std::vector<Rule> rules;
  std::vector<Case> cases;
};

// Checked: every key is known, every rule that a case names is there, IDs are unique. `text` is for
// messages and tests; `name` the file's name without ".yaml". Throws Error.
Section read_section(const std::string& name, const Json& yaml);
// All *.yaml files of a directory, by name; and rules named across files.
std::vector<Section> read_sections(const std::string& directory);

}  // namespace hull::conformance

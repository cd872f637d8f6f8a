#include "conformance/suite/report.h"

#include <cstdio>
#include <map>

#include "conformance/suite/page.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

std::string xml_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        if (static_cast<unsigned char>(c) >= ' ' || c == '\n' || c == '\t') out += c;
    }
  return out;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

std::string seconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", value);
  return text.data();
}

std::string section_of(const std::string& id) { return id.substr(0, id.find('/')); }

// A cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : one_line(text)) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

}  // namespace

std::string known_note(const Case& one, const Runtime& runtime) {
  std::string note;
  for (const auto& [peer, why] : one.known) {  // sorted: the longer one comes later
    if (!runtime.version.starts_with(peer)) continue;
    const std::string rest = runtime.version.substr(peer.size());
    if (rest.empty() || rest[0] == ' ' || rest[0] == '.' || rest[0] == '+') note = why;
  }
  return note;
}

Counts count(const Report& report, size_t runtime) {
  Counts counts;
  for (size_t i = 0; i < report.cases.size(); ++i) switch (report.results[runtime][i].status) {
      case Status::kPassed:
        ++counts.passed;
        break;
      case Status::kFailed:
        ++counts.failed;
        if (!known_note(report.cases[i], report.runtimes[runtime]).empty()) ++counts.known;
        break;
      case Status::kSkipped:
        ++counts.skipped;
        break;
      case Status::kPending:
        ++counts.pending;
        break;
    }
  return counts;
}

std::string tap(const Report& report, size_t runtime) {
  std::string out = "TAP version 13\n1.." + std::to_string(report.cases.size()) + "\n";
  for (size_t i = 0; i < report.cases.size(); ++i) {
    const Result& result = report.results[runtime][i];
    const bool good = result.status == Status::kPassed || result.status == Status::kSkipped;
    out += (good ? "ok " : "not ok ") + std::to_string(i + 1) + " - " + report.cases[i].id + ": " +
           one_line(report.cases[i].does);
    if (result.status == Status::kSkipped) out += " # SKIP " + one_line(result.reason);
    if (result.status == Status::kPending) out += " # TODO " + one_line(result.reason);
    out += "\n";
    if (result.status == Status::kFailed) out += "  # " + one_line(result.reason) + "\n";
  }
  return out;
}

std::string junit(const Report& report) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"conformance\">\n";
  for (size_t r = 0; r < report.runtimes.size(); ++r)
    for (const Section& section : report.sections) {
      std::string cases;
      std::map<Status, int> counts;
      for (size_t i = 0; i < report.cases.size(); ++i) {
        const Case& one = report.cases[i];
        if (section_of(one.id) != section.name) continue;
        const Result& result = report.results[r][i];
        ++counts[result.status];
        cases += "    <testcase classname=\"" + xml_escaped(section.name) + "\" name=\"" +
                 xml_escaped(one.id + ": " + one_line(one.does)) + "\" time=\"" +
                 seconds(result.seconds) + "\">";
        if (result.status == Status::kFailed)
          cases += "<failure message=\"" + xml_escaped(one_line(result.reason)) + "\">" +
                   xml_escaped(result.evidence.dump(1)) + "</failure>";
        if (result.status == Status::kSkipped || result.status == Status::kPending)
          cases += "<skipped message=\"" + xml_escaped(one_line(result.reason)) + "\"/>";
        cases += "</testcase>\n";
      }
      if (cases.empty()) continue;
      int all = 0;
      for (const auto& [status, number] : counts) all += number;
      out += "  <testsuite name=\"" + xml_escaped(report.runtimes[r].name + "." + section.name) +
             "\" tests=\"" + std::to_string(all) + "\" failures=\"" +
             std::to_string(counts[Status::kFailed]) + "\" errors=\"0\" skipped=\"" +
             std::to_string(counts[Status::kSkipped] + counts[Status::kPending]) + "\">\n" + cases +
             "  </testsuite>\n";
    }
  return out + "</testsuites>\n";
}

std::string html(const Report& report) {
  Json data = {{"machine", report.machine}, {"date", report.date}};
  std::map<std::string, const Rule*> rules;
  for (const Section& section : report.sections) {
    data["sections"].push_back({{"name", section.name}, {"title", section.title}});
    for (const Rule& rule : section.rules) rules[rule.name] = &rule;
  }
  for (const Runtime& runtime : report.runtimes)
    data["runtimes"].push_back({{"name", runtime.name}, {"version", runtime.version}});
  for (size_t i = 0; i < report.cases.size(); ++i) {
    const Case& one = report.cases[i];
    Json entry = {{"id", one.id},
                  {"does", one.does},
                  {"section", section_of(one.id)},
                  {"note", one.note},
                  {"case", one.body}};
    for (const std::string& name : one.rules)
      entry["rules"].push_back(
          {{"name", name}, {"level", rules.at(name)->level}, {"text", rules.at(name)->text}});
    for (size_t r = 0; r < report.runtimes.size(); ++r) {
      const Result& result = report.results[r][i];
      entry["results"].push_back({{"status", status_name(result.status)},
                                  {"reason", result.reason},
                                  {"known", known_note(one, report.runtimes[r])},
                                  {"seconds", result.seconds},
                                  {"evidence", result.evidence}});
    }
    data["cases"].push_back(std::move(entry));
  }
  // In a script element only "</" and "<!--" end or change the text.
  std::string text = data.dump(-1, ' ', true, Json::error_handler_t::replace);
  for (size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at))
    text.replace(at, 1, "\\u003c");
  std::string page = kPage;
  const std::string place = "\"DATA\"";
  return page.replace(page.find(place), place.size(), text);
}

std::string coverage(const std::vector<Section>& sections) {
  std::map<std::string, std::vector<std::string>> proofs;
  size_t cases = 0;
  for (const Section& section : sections)
    for (const Case& one : section.cases) {
      ++cases;
      for (const std::string& rule : one.rules) proofs[rule].push_back(one.id);
    }
  std::string out =
      "# Which case proves what\n\n"
      "Made from the cases by `hull-conformance --coverage FILE`; a test checks that it is "
      "current.\n" +
      std::to_string(cases) + " cases.\n";
  for (const Section& section : sections) {
    if (section.rules.empty()) continue;
    out += "\n## " + section.title + "\n\n| rule | level | what | cases |\n|---|---|---|---|\n";
    for (const Rule& rule : section.rules) {
      std::string list;
      for (const std::string& test : rule.tests) proofs[rule.name].push_back(test);
      for (const std::string& id : proofs[rule.name]) list += (list.empty() ? "" : ", ") + id;
      if (list.empty()) list = "none: " + rule.untested;
      out += "| " + rule.name + " | " + rule.level + " | " + cell(rule.text) +
             (rule.note.empty() ? "" : " *" + cell(rule.note) + "*") + " | " + cell(list) + " |\n";
    }
  }
  return out;
}

std::vector<std::string> uncovered(const std::vector<Section>& sections) {
  std::map<std::string, int> proofs;
  for (const Section& section : sections)
    for (const Case& one : section.cases)
      for (const std::string& rule : one.rules) ++proofs[rule];
  std::vector<std::string> missing;
  for (const Section& section : sections)
    for (const Rule& rule : section.rules)
      if (proofs[rule.name] == 0 && rule.tests.empty() && rule.untested.empty())
        missing.push_back(rule.name);
  return missing;
}

std::string summary(const Report& report) {
  std::string head = "| section |";
  std::string line = "|---|";
  for (const Runtime& runtime : report.runtimes) {
    head += " " + cell(runtime.version.empty() ? runtime.name : runtime.version) + " |";
    line += "---|";
  }
  std::string out = head + "\n" + line + "\n";
  const auto row = [&](const std::string& title, const std::string& section) {
    std::string text = "| " + cell(title) + " |";
    for (size_t r = 0; r < report.runtimes.size(); ++r) {
      Counts counts;
      int all = 0;
      for (size_t i = 0; i < report.cases.size(); ++i) {
        if (!section.empty() && section_of(report.cases[i].id) != section) continue;
        const Status status = report.results[r][i].status;
        if (status == Status::kSkipped || status == Status::kPending) continue;
        ++all;
        if (status == Status::kPassed) ++counts.passed;
      }
      text += " " + std::to_string(counts.passed) + " of " + std::to_string(all) + " |";
    }
    out += text + "\n";
  };
  for (const Section& section : report.sections)
    if (!section.cases.empty()) row(section.title, section.name);
  row("**all**", "");
  return out;
}

}  // namespace hull::conformance

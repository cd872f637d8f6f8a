// hull-conformance [OPTIONS] RUNTIME...: plays the cases with each runtime and reports.
// See README.md in conformance/ for what a case is.
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <regex>
#include <string>

#include "conformance/container/command.h"
#include "conformance/container/host.h"
#include "conformance/suite/report.h"
#include "conformance/suite/workers.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

namespace hull::conformance {
namespace {

constexpr const char* kUsage =
    R"(usage: hull-conformance [OPTIONS] [NAME=]RUNTIME...
  --cases DIR       the cases (default: those of the source tree)
  --probe PATH      the probe (default: hull-probe beside this program)
  --only REGEX      only cases whose ID or rules match
  -j N              cases at a time (default: twice the CPUs)
  --pure-v1         without the cgroup v2 hierarchy of a hybrid host
  --tap FILE        one runtime's results as TAP ("-": stdout)
  --junit FILE, --html FILE, --summary FILE   all runtimes' results
  --coverage FILE   writes the table of rules and cases; no runtime needed
  --check-coverage FILE   fails when that table is not current or a rule has no case
  --list            prints the cases and ends
  -v                prints every case, and the evidence of failed ones
Exit status 1 when a case failed with the first runtime.
)";

struct Options {
  std::string cases = HULL_CASES;
  std::string probe, only, tap, junit, html, summary, coverage, check_coverage;
  bool pure_v1 = false, list = false, verbose = false;
  int jobs = static_cast<int>(2 * sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<std::string> runtimes;
};

Options parse(const std::vector<std::string>& args) {
  Options options;
  options.probe = beside_this_program("hull-probe");
  const std::vector<std::pair<std::string, std::string*>> texts = {
      {"--cases", &options.cases},
      {"--probe", &options.probe},
      {"--only", &options.only},
      {"--tap", &options.tap},
      {"--junit", &options.junit},
      {"--html", &options.html},
      {"--summary", &options.summary},
      {"--coverage", &options.coverage},
      {"--check-coverage", &options.check_coverage}};
  const std::vector<std::pair<std::string, bool*>> flags = {
      {"--pure-v1", &options.pure_v1}, {"--list", &options.list}, {"-v", &options.verbose}};
  for (size_t i = 0; i < args.size(); ++i) {
    const auto text = std::find_if(texts.begin(), texts.end(),
                                   [&](const auto& known) { return known.first == args[i]; });
    const auto flag = std::find_if(flags.begin(), flags.end(),
                                   [&](const auto& known) { return known.first == args[i]; });
    if ((text != texts.end() || args[i] == "-j") && i + 1 == args.size())
      throw Error(args[i] + " needs a value");
    if (text != texts.end())
      *text->second = args[++i];
    else if (flag != flags.end())
      *flag->second = true;
    else if (args[i] == "-j")
      options.jobs = parse_number<int>(args[++i]).value_or(1);
    else if (args[i].starts_with("-"))
      throw Error("no such option: " + args[i] + "\n" + kUsage);
    else
      options.runtimes.push_back(args[i]);
  }
  return options;
}

bool wanted(const Case& one, const std::string& only) {
  if (only.empty()) return true;
  const std::regex expression(only);
  return std::regex_search(one.id, expression) ||
         std::any_of(one.rules.begin(), one.rules.end(),
                     [&](const std::string& rule) { return std::regex_match(rule, expression); });
}

void write_report(const std::string& path, const std::string& text) {
  if (path == "-")
    std::fputs(text.c_str(), stdout);
  else if (!path.empty())
    write_file(path, text);
}

int check_coverage(const Options& options, const std::vector<Section>& sections) {
  int status = 0;
  for (const std::string& rule : uncovered(sections)) {
    std::printf("no case proves %s, and no reason is given\n", rule.c_str());
    status = 1;
  }
  if (read_file_if_exists(options.check_coverage).value_or("") != coverage(sections)) {
    std::printf("%s is not what the cases say: make it anew with --coverage\n",
                options.check_coverage.c_str());
    status = 1;
  }
  return status;
}

void print_result(const Case& one, const Runtime& runtime, const Result& result, bool verbose) {
  if (!verbose && result.status != Status::kFailed) return;
  std::printf("%-8s %s %s (%.2f s): %s%s%s\n",
              result.status == Status::kFailed && !known_note(one, runtime).empty()
                  ? "known"
                  : status_name(result.status),
              runtime.name.c_str(), one.id.c_str(), result.seconds, one.does.c_str(),
              result.reason.empty() ? "" : "\n         ", result.reason.c_str());
  if (verbose && result.status == Status::kFailed)
    std::printf("%s\n",
                result.evidence.dump(1, ' ', false, Json::error_handler_t::replace).c_str());
}

// The last line of a runtime: "hull: N passed, M failed, K skipped, P pending".
void print_counts(const Report& report, size_t r) {
  const Counts counts = count(report, r);
  std::printf("%s: %d passed, %d failed, %d skipped, %d pending\n", report.runtimes[r].name.c_str(),
              counts.passed, counts.failed, counts.skipped, counts.pending);
  std::fflush(stdout);
}

std::string today() {
  std::array<char, 32> text{};
  const time_t now = time(nullptr);
  tm parts{};
  std::strftime(text.data(), text.size(), "%F", gmtime_r(&now, &parts));
  return text.data();
}

std::string machine() {
  utsname names{};
  uname(&names);
  return std::string("Linux ") + names.release + ", " + names.machine + ", cgroup " +
         (in_cgroup_v2("memory") ? "v2" : "v1");
}

int main_of(const std::vector<std::string>& args) {
  const Options options = parse(args);
  Report report;
  report.sections = read_sections(options.cases);
  for (const Section& section : report.sections)
    for (const Case& one : section.cases)
      if (wanted(one, options.only)) report.cases.push_back(one);
  if (!options.coverage.empty()) write_report(options.coverage, coverage(report.sections));
  if (!options.check_coverage.empty()) return check_coverage(options, report.sections);
  if (options.list) {
    for (const Case& one : report.cases) std::printf("%s: %s\n", one.id.c_str(), one.does.c_str());
    return 0;
  }
  if (options.runtimes.empty()) {
    if (options.coverage.empty()) std::fputs(kUsage, stderr);
    return options.coverage.empty() ? 2 : 0;
  }
  report.date = today();
  report.machine = machine();
  for (const std::string& word : options.runtimes) {
    report.runtimes.push_back(runtime_of(word));
    report.results.push_back(play_all(report.cases, report.runtimes.back(),
                                      {options.jobs, options.probe, options.pure_v1}));
    for (size_t i = 0; i < report.cases.size(); ++i)
      print_result(report.cases[i], report.runtimes.back(), report.results.back()[i],
                   options.verbose);
  }
  write_report(options.tap, tap(report, 0));
  if (!options.junit.empty()) write_report(options.junit, junit(report));
  if (!options.html.empty()) write_report(options.html, html(report));
  if (!options.summary.empty()) write_report(options.summary, summary(report));
  for (size_t r = 0; r < report.runtimes.size(); ++r) print_counts(report, r);
  return count(report, 0).failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace hull::conformance

int main(int argc, char** argv) {
  try {
    return hull::conformance::main_of({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "hull-conformance: %s\n", error.what());
    return 2;
  }
}

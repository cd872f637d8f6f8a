#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "conformance/suite/case.h"
#include "conformance/suite/runtime.h"

namespace hull::conformance {

enum class Status { kPassed, kFailed, kSkipped, kPending };

constexpr const char* status_name(Status status) {
  constexpr const char* kNames[] = {"passed", "failed", "skipped", "pending"};
  return kNames[static_cast<int>(status)];
}

// What became of one case with one runtime.
struct Result {
  Status status = Status::kFailed;
  std::string reason;             // of a skipped or pending one; the first thing wrong of a failed
  Json evidence = Json::array();  // what was done and seen, in order (scene.h)
  double seconds = 0;
};

// Everything that a report tells: results[r][i] is of the r-th runtime and the i-th case.
struct Report {
  std::vector<Section> sections;
  std::vector<Case> cases;
  std::vector<Runtime> runtimes;
  std::vector<std::vector<Result>> results;
  std::string machine;
  std::string date;
};

// What a case notes about a runtime, by its version: of "runc" and "runc 1.1" the longer one.
// Empty without a note.
std::string known_note(const Case& one, const Runtime& runtime);

struct Counts {
  int passed = 0, failed = 0, skipped = 0, pending = 0, known = 0;
};
// `known`: those of the failed that a case notes as checked by hand.
Counts count(const Report& report, size_t runtime);

}  // namespace hull::conformance

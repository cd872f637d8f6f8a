#pragma once

#include <string>

#include "conformance/suite/result.h"

// What the suite writes about a run.
namespace hull::conformance {

// Test Anything Protocol, version 13, of one runtime.
std::string tap(const Report& report, size_t runtime);
// JUnit's XML: a test suite a runtime and section.
std::string junit(const Report& report);
// One page that needs nothing else: summary by section, filters, evidence.
std::string html(const Report& report);
// Every rule with the cases that prove it, in Markdown; of the cases alone, without a run.
std::string coverage(const std::vector<Section>& sections);
// Rules without a case or a reason why there is none.
std::vector<std::string> uncovered(const std::vector<Section>& sections);
// The README's table: sections by runtimes.
std::string summary(const Report& report);

}  // namespace hull::conformance

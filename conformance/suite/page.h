#pragma once

namespace hull::conformance {

// page.html with "DATA" where the report's JSON goes; the build makes page.cpp of it.
extern const char* const kPage;

}  // namespace hull::conformance

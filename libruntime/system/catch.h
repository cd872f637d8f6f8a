#pragma once

// Catch2 2 (Debian 12) and 3 (Debian 13) behind one name, and a skip that both know.
#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_all.hpp>
#else
#include <catch2/catch.hpp>
#endif

#include <cstdio>
#include <string>

namespace hull::testing {

// The matcher that Catch2 2 calls Contains and 3 ContainsSubstring.
inline auto contains(const std::string& text) {
#if __has_include(<catch2/catch_test_macros.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}

}  // namespace hull::testing

// Ends the test as skipped: the runner counts the lines.
#define HULL_SKIP(reason)                           \
  do {                                              \
    std::printf("SKIP %s: %s\n", __func__, reason); \
    std::fflush(stdout);                            \
    SUCCEED("skipped");                             \
    return;                                         \
  } while (false)

#pragma once

#include <cstdint>
#include <random>

#include "libruntime/configs/config.h"

namespace hull::conformance {

using Random = std::mt19937_64;

inline uint64_t below(Random& random, uint64_t limit) { return random() % limit; }

// With rules of every kind; when `tame`, only such whose meaning libseccomp keeps (see
// differential_test.cpp).
configs::Seccomp random_profile(Random& random, bool tame);

// An argument in whose neighbourhood a comparison with `value` changes its mind.
uint64_t near(Random& random, uint64_t value);

}  // namespace hull::conformance

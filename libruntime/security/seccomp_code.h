#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "libruntime/configs/config.h"

// From decisions to a BPF program for seccomp(2).
namespace hull::security {

// What one argument of a call is compared with.
struct Condition {
  unsigned argument = 0;
  configs::SeccompOperator op{};
  uint64_t value = 0;
  uint64_t mask = ~uint64_t{0};  // of eq and masked_eq; `value` has none but its bits
  bool operator==(const Condition&) const = default;
};

struct Choice {
  std::vector<Condition> conditions;  // all must hold
  uint32_t action = 0;                // SECCOMP_RET_*
  bool operator==(const Choice&) const = default;
};

// What becomes of a call: the first choice whose conditions hold decides, else `action`.
struct Verdict {
  uint32_t action = 0;
  std::vector<Choice> choices;
  bool wide = true;  // arguments have 64 bits, else only the lower 32 count
  bool operator==(const Verdict&) const = default;
};

// Calls from this number on, up to the next range's. Neighbours differ in their verdict.
struct CallRange {
  uint32_t first;
  uint32_t verdict;  // index
};

// The calls of one AUDIT_ARCH_*: sorted, from number 0 on.
struct ArchRanges {
  uint32_t audit_arch = 0;
  std::vector<CallRange> ranges;
};

struct Decisions {
  std::vector<Verdict> verdicts;
  std::vector<ArchRanges> archs;  // the most likely first
  uint32_t other_archs = 0;       // action
  bool little_endian = true;
};

std::vector<sock_filter> assemble(const Decisions& decisions);

}  // namespace hull::security

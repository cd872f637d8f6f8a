#pragma once

#include <optional>
#include <span>
#include <vector>

#include "libruntime/security/seccomp_code.h"
#include "libruntime/security/syscalls.h"

// From a profile's rules to decisions for every number of every architecture, as libseccomp takes
// them:
//  - a rule without conditions decides alone, the first of several;
//  - else the first rule that holds, in this order: compared by their conditions from argument 0
//    on, conditions on higher arguments come first, then those for equality before those for less
//    before those for greater, then the larger value (for less: the smaller); of two that are alike
//    so far the one with fewer conditions;
//  - where the kernel carries calls of sockets and System V IPC by socketcall(2) and ipc(2), a rule
//    for such a call counts for both ways; for the carried one a condition on argument 0 is lost:
//    there is the number of the carried call, in its place. (The others stay although the arguments
//    lie in memory: as libseccomp has it.)
//  - x86_64 without x32 gives `other_archs` for numbers with x32's bit, but for -1, which is a
//    tracer's way to skip a call;
//  - 32-bit architectures compare the lower halves.
namespace hull::security {

struct SyscallRule {
  size_t row = 0;  // of the table of system calls
  Choice choice;
};

struct RuleSet {
  uint32_t default_action = 0;
  std::vector<SyscallRule> rules;  // in the profile's order, none with the default action
  // What the profile names: a call that is newer than all of these on its architecture returns
  // ENOSYS (as in runc), since a profile can't judge what it does not know, and programs fall back
  // to older calls on ENOSYS only, not on the usual EPERM. Empty: no such rule.
  std::vector<size_t> known_rows;
};

// The architectures are all of one byte order. Throws Error when two rules have the same conditions
// and different actions.
Decisions decide(const RuleSet& rules, std::span<const SyscallArch* const> archs,
                 uint32_t other_archs);

}  // namespace hull::security

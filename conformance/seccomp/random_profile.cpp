#include "conformance/seccomp/random_profile.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libruntime/security/syscalls.h"

namespace hull::conformance {
namespace {

using configs::SeccompAction;
using configs::SeccompOperator;

template <class T, size_t N>
T any_of(Random& random, const std::array<T, N>& list) {
  return list[below(random, N)];
}

constexpr std::array kActions{SeccompAction::allow,       SeccompAction::errno_,
                              SeccompAction::errno_,      SeccompAction::kill_process,
                              SeccompAction::kill_thread, SeccompAction::trap,
                              SeccompAction::log,         SeccompAction::trace};
constexpr std::array kOperators{SeccompOperator::eq,       SeccompOperator::ne, SeccompOperator::lt,
                                SeccompOperator::le,       SeccompOperator::gt, SeccompOperator::ge,
                                SeccompOperator::masked_eq};

struct Action {
  SeccompAction action;
  std::optional<unsigned> number;
};

Action random_action(Random& random) {
  Action out{any_of(random, kActions), {}};
  if (out.action == SeccompAction::errno_ && below(random, 2) == 0)
    out.number = static_cast<unsigned>(any_of(random, std::array{EPERM, EINVAL, ENOSYS, 0}));
  if (out.action == SeccompAction::trace) out.number = static_cast<unsigned>(below(random, 9));
  return out;
}

// Few different ones, so that rules meet.
uint64_t random_value(Random& random) {
  switch (below(random, 5)) {
    case 0:
      return below(random, 4);
    case 1:
      return uint64_t{1} << below(random, 64);
    case 2:
      return (below(random, 3) << 32U) + below(random, 3);
    case 3:
      return ~uint64_t{0} >> below(random, 64);
    default:
      return random();
  }
}

// libseccomp 2.5.4 and 2.6.0 give sys_debug_setcontext the number that stands for switch_endian on
// other machines than PowerPC: a rule for the one becomes one for the other.
bool is_mistaken(std::string_view name) {
  return name == "sys_debug_setcontext" || name == "switch_endian";
}

std::string random_name(Random& random) {
  if (below(random, 50) == 0) return "no_such_call";
  const size_t row = below(random, security::syscall_count());
  const std::string_view name = security::syscall_name(row);
  return is_mistaken(name) ? random_name(random) : std::string(name);
}

constexpr std::array kEqual{SeccompOperator::eq};
constexpr std::array kEqualOrNot{SeccompOperator::eq, SeccompOperator::ne};
constexpr std::array kMasked{SeccompOperator::masked_eq};

// How the rules of one call may be.
struct Manner {
  std::span<const SeccompOperator> operators;
  uint64_t rules = 4, conditions = 3;  // at most
  bool many_actions = true;
  bool one_argument = false;  // all conditions are about the same one
  bool one_rule = false;      // an argument that comes twice would make several of one
};

constexpr Manner kWild{kOperators};
// libseccomp keeps the rules of a call as a tree of 32-bit comparisons that rules share, and
// confuses or loses some when they are about several arguments or not about equality
// (2.5.4, 2.6.0).
constexpr std::array kTame{
    Manner{kOperators, 1, 3, false, false, true},
    Manner{kEqual, 3, 1, true, true},
    Manner{kEqualOrNot, 4, 1, false, true},
    Manner{kMasked, 4, 1, false, true},
};

unsigned random_argument(Random& random) {
  return static_cast<unsigned>(below(random, 2) == 0 ? below(random, 6) : below(random, 2));
}

configs::SeccompArg random_condition(Random& random, const Manner& manner) {
  configs::SeccompArg out;
  out.index = random_argument(random);
  out.op = manner.operators[below(random, manner.operators.size())];
  out.value = random_value(random);
  if (out.op == SeccompOperator::masked_eq)
    out.value_two = below(random, 4) == 0 ? random_value(random) : random_value(random) & out.value;
  return out;
}

bool is_multiplexed(const std::string& name) {
  const std::optional<size_t> row = security::find_syscall(name);
  return row && security::multiplexed(*row).number != 0;
}

void drop_repeated(std::vector<configs::SeccompArg>& args) {
  std::array<bool, 6> seen{};
  std::erase_if(args, [&](const auto& arg) { return std::exchange(seen[arg.index], true); });
}

// Rules for calls that socketcall(2) and ipc(2) carry meet in that call.
const Manner& random_manner(Random& random, bool tame, const std::string& name) {
  if (!tame) return kWild;
  return is_multiplexed(name) ? kTame[1] : kTame[below(random, kTame.size())];
}

void add_conditional(Random& random, const Manner& manner, const std::string& name,
                     const Action& first, configs::Seccomp& out) {
  const unsigned argument = random_argument(random);
  for (uint64_t rules = 1 + below(random, manner.rules); rules > 0; --rules) {
    const bool other = manner.many_actions && below(random, 3) == 0;
    const Action own = other ? random_action(random) : first;
    configs::SeccompCall& call = out.calls.emplace_back();
    call = {name, own.action, own.number, {}};
    for (uint64_t n = 1 + below(random, manner.conditions); n > 0; --n)
      call.args.push_back(random_condition(random, manner));
    if (manner.one_argument) call.args[0].index = argument;
    if (manner.one_rule) drop_repeated(call.args);
  }
}

}  // namespace

configs::Seccomp random_profile(Random& random, bool tame) {
  configs::Seccomp out;
  const Action action = random_action(random);
  out.default_action = action.action;
  out.default_errno_ret = action.number;
  std::set<std::string> used;
  const uint64_t names = below(random, 4) == 0 ? below(random, 5) : below(random, 200);
  for (uint64_t i = 0; i < names; ++i) {
    const std::string name = random_name(random);
    if (tame && !used.insert(name).second) continue;
    const Action first = random_action(random);
    if (below(random, 3) != 0)
      out.calls.push_back({name, first.action, first.number, {}});
    else
      add_conditional(random, random_manner(random, tame, name), name, first, out);
  }
  return out;
}

uint64_t near(Random& random, uint64_t value) {
  switch (below(random, 8)) {
    case 0:
      return value;
    case 1:
      return value + 1;
    case 2:
      return value - 1;
    case 3:
      return value ^ uint64_t { 1 } << below(random, 64);
    case 4:
      return (value & 0xffffffffU) | random_value(random) << 32U;
    case 5:
      return (value & ~uint64_t{0xffffffffU}) | (random_value(random) & 0xffffffffU);
    case 6:
      return random_value(random);
    default:
      return random();
  }
}

}  // namespace hull::conformance

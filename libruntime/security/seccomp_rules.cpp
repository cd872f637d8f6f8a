#include "libruntime/security/seccomp_rules.h"

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "libruntime/system/error.h"

namespace hull::security {
namespace {

using configs::SeccompOperator;

constexpr uint32_t kX32Bit = 0x40000000;
constexpr uint32_t kSkipped = ~0U;  // a tracer's number for a call that is not to be made
constexpr uint32_t kNewer = SECCOMP_RET_ERRNO | ENOSYS;

// A rule on one architecture.
struct NumberedRule {
  uint32_t number;
  uint32_t rule;     // index
  uint32_t carried;  // the first argument of socketcall(2) or ipc(2), 0 for other calls
  bool operator<(const NumberedRule& other) const {
    return std::pair(number, rule) < std::pair(other.number, other.rule);
  }
};

// Calls `body(number, carried)` for each way in which the call of this row reaches the kernel.
template <class Body>
void each_number(const SyscallArch& arch, size_t row, Body body) {
  if (arch.numbers[row] != kNoCall) body(static_cast<uint32_t>(arch.numbers[row]), 0U);
  if (arch.socketcall == kNoCall) return;
  const Multiplexed way = multiplexed(row);
  if (way.number != 0)
    body(static_cast<uint32_t>(way.ipc ? arch.ipc : arch.socketcall), uint32_t{way.number});
}

int operator_order(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::lt:
    case SeccompOperator::le:
      return 1;
    case SeccompOperator::gt:
    case SeccompOperator::ge:
      return 2;
    default:
      return 0;
  }
}

bool condition_before(const Condition& a, const Condition& b) {
  if (a.argument != b.argument) return a.argument > b.argument;
  const int order = operator_order(a.op);
  if (order != operator_order(b.op)) return order < operator_order(b.op);
  return order == 1 ? a.value < b.value : a.value > b.value;
}

bool choice_before(const Choice& a, const Choice& b) {
  return std::lexicographical_compare(a.conditions.begin(), a.conditions.end(),
                                      b.conditions.begin(), b.conditions.end(), condition_before);
}

// The conditions as this architecture sees them, sorted by argument; those that always hold are
// left out.
std::vector<Condition> conditions_on(const SyscallArch& arch, const std::vector<Condition>& in,
                                     uint32_t carried) {
  std::vector<Condition> out;
  if (carried != 0) out.push_back({0, SeccompOperator::eq, carried});
  for (Condition one : in) {
    if (carried != 0 && one.argument == 0) continue;
    if (!arch.wide()) {
      one.value = static_cast<uint32_t>(one.value);
      one.mask = static_cast<uint32_t>(one.mask);
    }
    if (one.mask != 0) out.push_back(one);
  }
  return out;
}

class Decider {
 public:
  Decider(const RuleSet& rules, uint32_t other_archs) : rules_(rules) {
    out_.other_archs = other_archs;
  }

  void add(std::span<const SyscallArch* const> archs) {
    out_.little_endian = archs.front()->little_endian();
    const SyscallArch* x32 = nullptr;
    const SyscallArch* x86_64 = nullptr;
    for (const SyscallArch* arch : archs)
      if (arch->audit_arch() == AUDIT_ARCH_X86_64)
        (arch->token == AUDIT_ARCH_X86_64 ? x86_64 : x32) = arch;
    for (const SyscallArch* arch : archs) {
      if (arch->audit_arch() == AUDIT_ARCH_X86_64) {
        if (arch == (x86_64 != nullptr ? x86_64 : x32)) add_x86_64(x86_64, x32);
        continue;
      }
      begin(arch->audit_arch());
      add_calls(*arch, 0);
    }
  }

  Decisions take() { return std::move(out_); }

 private:
  void add_x86_64(const SyscallArch* x86_64, const SyscallArch* x32) {
    begin(AUDIT_ARCH_X86_64);
    if (x86_64 != nullptr)
      add_calls(*x86_64, 0);
    else
      append(0, out_.other_archs);
    if (x32 != nullptr) return add_calls(*x32, kX32Bit);
    append(kX32Bit, out_.other_archs);
    append(kSkipped, rules_.default_action);
  }

  void begin(uint32_t audit_arch) { out_.archs.emplace_back().audit_arch = audit_arch; }

  // All numbers from `first` on.
  void add_calls(const SyscallArch& arch, uint32_t first) {
    append(first, rules_.default_action);
    // Numbers above 255 come through setup(2), call 0, and stay 0 when the kernel does not know
    // them.
    const bool setup = arch.token == AUDIT_ARCH_S390 || arch.token == AUDIT_ARCH_S390X;
    if (setup && !rules_.known_rows.empty()) {
      append(0, kNewer);
      append(1, rules_.default_action);
    }

    const std::vector<NumberedRule> rules = numbered(arch);
    for (size_t i = 0, end = 0; i < rules.size(); i = end) {
      while (end < rules.size() && rules[end].number == rules[i].number) ++end;
      append(rules[i].number, verdict(arch, std::span(rules).subspan(i, end - i)));
      if (end == rules.size() || rules[end].number != rules[i].number + 1)
        append(rules[i].number + 1, rules_.default_action);
    }
    if (const std::optional<uint32_t> largest = largest_known(arch)) append(*largest + 1, kNewer);
  }

  std::vector<NumberedRule> numbered(const SyscallArch& arch) {
    std::vector<NumberedRule> out;
    out.reserve(rules_.rules.size() + 32);
    for (size_t i = 0; i < rules_.rules.size(); ++i)
      each_number(arch, rules_.rules[i].row, [&](uint32_t number, uint32_t carried) {
        out.push_back({number, static_cast<uint32_t>(i), carried});
      });
    std::sort(out.begin(), out.end());
    return out;
  }

  std::optional<uint32_t> largest_known(const SyscallArch& arch) {
    std::optional<uint32_t> out;
    for (const size_t row : rules_.known_rows)
      each_number(arch, row,
                  [&](uint32_t number, uint32_t) { out = std::max(out.value_or(0), number); });
    return out;
  }

  // Of the rules for one number.
  Verdict verdict(const SyscallArch& arch, std::span<const NumberedRule> rules) {
    Verdict out{rules_.default_action, {}, arch.wide()};
    for (const NumberedRule& one : rules) {
      const Choice& choice = rules_.rules[one.rule].choice;
      std::vector<Condition> conditions = conditions_on(arch, choice.conditions, one.carried);
      if (conditions.empty()) return {choice.action, {}, arch.wide()};
      out.choices.push_back({std::move(conditions), choice.action});
    }
    std::stable_sort(out.choices.begin(), out.choices.end(), choice_before);
    drop_repeated(out.choices, rules_.rules[rules.front().rule].row);
    return out;
  }

  static void drop_repeated(std::vector<Choice>& choices, size_t row) {
    const auto contradicts = [](const Choice& a, const Choice& b) {
      return a.conditions == b.conditions && a.action != b.action;
    };
    if (std::adjacent_find(choices.begin(), choices.end(), contradicts) != choices.end())
      throw Error("two rules for the system call " + quote(syscall_name(row)) +
                  " have the same conditions and different actions")
          .field("/linux/seccomp/syscalls");
    choices.erase(std::unique(choices.begin(), choices.end()), choices.end());
  }

  void append(uint32_t first, uint32_t action) { append(first, Verdict{action, {}, true}); }

  void append(uint32_t first, Verdict verdict) {
    std::vector<CallRange>& ranges = out_.archs.back().ranges;
    const uint32_t index = find(std::move(verdict));
    // A range may begin where the last one does: that one is then empty.
    if (!ranges.empty() && ranges.back().first == first) ranges.pop_back();
    if (ranges.empty() || ranges.back().verdict != index) ranges.push_back({first, index});
  }

  uint32_t find(Verdict verdict) {
    if (verdict.choices.empty()) verdict.wide = true;
    auto found = std::find(out_.verdicts.begin(), out_.verdicts.end(), verdict);
    if (found == out_.verdicts.end()) found = out_.verdicts.insert(found, std::move(verdict));
    return static_cast<uint32_t>(found - out_.verdicts.begin());
  }

  const RuleSet& rules_;
  Decisions out_;
};

}  // namespace

Decisions decide(const RuleSet& rules, std::span<const SyscallArch* const> archs,
                 uint32_t other_archs) {
  Decider decider(rules, other_archs);
  decider.add(archs);
  return decider.take();
}

}  // namespace hull::security

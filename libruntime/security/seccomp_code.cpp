#include "libruntime/security/seccomp_code.h"

#include <linux/seccomp.h>

#include <algorithm>
#include <cstddef>
#include <span>

namespace hull::security {
namespace {

using configs::SeccompOperator;

constexpr size_t kFarthest = UINT8_MAX;  // of a conditional jump

// A program is written from its end to its start: so the targets of a jump, which all lie ahead of
// it (BPF has no loops), are there already and its distance is known. A place is counted from the
// end.
class Assembler {
 public:
  explicit Assembler(const Decisions& decisions)
      : decisions_(decisions), written_(decisions.verdicts.size(), kNowhere) {
    code_.reserve(512);
  }

  std::vector<sock_filter> program() {
    size_t next = returning(decisions_.other_archs);
    for (size_t i = decisions_.archs.size(); i-- > 0;) {
      const ArchRanges& arch = decisions_.archs[i];
      if (const size_t top = tree(arch.ranges); distance(top) != 0) jump(top);
      const size_t entry = load(offsetof(seccomp_data, nr));
      next = branch(BPF_JEQ, arch.audit_arch, entry, next);
    }
    load(offsetof(seccomp_data, arch));
    std::reverse(code_.begin(), code_.end());
    return std::move(code_);
  }

 private:
  static constexpr size_t kNowhere = SIZE_MAX;

  size_t put(unsigned code, uint32_t k, size_t when_true = 0, size_t when_false = 0) {
    code_.push_back({static_cast<uint16_t>(code), static_cast<uint8_t>(when_true),
                     static_cast<uint8_t>(when_false), k});
    return code_.size() - 1;
  }
  size_t load(size_t offset) {
    return put(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
  }

  // The distance from the instruction that is written next.
  [[nodiscard]] size_t distance(size_t target) const { return code_.size() - target - 1; }

  // A place from where the target is reached by a conditional jump, which two more such helpers may
  // precede.
  size_t near(size_t target) {
    if (distance(target) + 2 <= kFarthest) return target;
    const sock_filter there = code_[target];
    return there.code == (BPF_RET | BPF_K) ? returning(there.k) : jump(target);
  }
  size_t jump(size_t target) {
    return put(BPF_JMP | BPF_JA, static_cast<uint32_t>(distance(target)));
  }

  size_t branch(unsigned test, uint32_t k, size_t when_true, size_t when_false) {
    when_true = near(when_true);
    when_false = near(when_false);
    return put(BPF_JMP | BPF_K | test, k, distance(when_true), distance(when_false));
  }

  size_t returning(uint32_t action) {
    for (const size_t place : returns_)
      if (code_[place].k == action && distance(place) + 2 <= kFarthest) return place;
    returns_.insert(returns_.begin(), put(BPF_RET | BPF_K, action));
    return returns_.front();
  }

  // A balanced tree over the call's number, which is loaded.
  size_t tree(std::span<const CallRange> ranges) {
    if (ranges.size() == 1) return verdict(ranges[0].verdict);
    // A single number among others.
    if (ranges.size() == 3 && ranges[0].verdict == ranges[2].verdict &&
        ranges[1].first + 1 == ranges[2].first) {
      const size_t others = verdict(ranges[0].verdict);
      return branch(BPF_JEQ, ranges[1].first, verdict(ranges[1].verdict), others);
    }
    const size_t middle = ranges.size() / 2;
    const size_t upper = tree(ranges.subspan(middle));
    const size_t lower = tree(ranges.first(middle));
    return branch(BPF_JGE, ranges[middle].first, upper, lower);
  }

  size_t verdict(uint32_t index) {
    const Verdict& verdict = decisions_.verdicts[index];
    if (verdict.choices.empty()) return returning(verdict.action);
    if (written_[index] == kNowhere) written_[index] = choices(verdict);
    return written_[index];
  }

  size_t choices(const Verdict& verdict) {
    size_t next = returning(verdict.action);
    for (size_t i = verdict.choices.size(); i-- > 0;) {
      const Choice& choice = verdict.choices[i];
      size_t holds = returning(choice.action);
      for (size_t j = choice.conditions.size(); j-- > 0;)
        holds = condition(choice.conditions[j], verdict.wide, holds, next);
      next = holds;
    }
    return next;
  }

  // 64 bits are compared as two halves.
  size_t condition(const Condition& one, bool wide, size_t holds, size_t fails) {
    const auto low = static_cast<uint32_t>(one.value);
    const auto low_mask = static_cast<uint32_t>(one.mask);
    const auto high = static_cast<uint32_t>(one.value >> 32U);
    const auto high_mask = static_cast<uint32_t>(one.mask >> 32U);
    switch (one.op) {
      case SeccompOperator::eq:
      case SeccompOperator::masked_eq: {
        const size_t rest = equal(one.argument, false, low_mask, low, holds, fails);
        return wide ? equal(one.argument, true, high_mask, high, rest, fails) : rest;
      }
      case SeccompOperator::ne: {
        const size_t rest = equal(one.argument, false, ~0U, low, fails, holds);
        return wide ? equal(one.argument, true, ~0U, high, rest, holds) : rest;
      }
      case SeccompOperator::gt:
        return above(one, wide, BPF_JGT, holds, fails);
      case SeccompOperator::ge:
        return above(one, wide, BPF_JGE, holds, fails);
      case SeccompOperator::lt:
        return above(one, wide, BPF_JGE, fails, holds);
      case SeccompOperator::le:
        return above(one, wide, BPF_JGT, fails, holds);
    }
    return fails;
  }

  size_t equal(unsigned argument, bool upper, uint32_t mask, uint32_t value, size_t yes,
               size_t no) {
    if (mask == 0) return yes;
    branch(BPF_JEQ, value, yes, no);
    if (mask != ~0U) put(BPF_ALU | BPF_AND | BPF_K, mask);
    return load_half(argument, upper);
  }

  size_t above(const Condition& one, bool wide, unsigned test, size_t yes, size_t no) {
    branch(test, static_cast<uint32_t>(one.value), yes, no);
    const size_t rest = load_half(one.argument, false);
    if (!wide) return rest;
    const auto high = static_cast<uint32_t>(one.value >> 32U);
    const size_t same = branch(BPF_JEQ, high, rest, no);
    branch(BPF_JGT, high, yes, same);
    return load_half(one.argument, true);
  }

  size_t load_half(unsigned argument, bool upper) {
    const size_t offset = offsetof(seccomp_data, args) + argument * sizeof(uint64_t);
    return load(offset + (upper == decisions_.little_endian ? sizeof(uint32_t) : 0));
  }

  const Decisions& decisions_;
  std::vector<sock_filter> code_;  // backwards
  std::vector<size_t> returns_;    // their places, the nearest first
  std::vector<size_t> written_;    // the place of each verdict that has choices
};

}  // namespace

std::vector<sock_filter> assemble(const Decisions& decisions) {
  return Assembler(decisions).program();
}

}  // namespace hull::security

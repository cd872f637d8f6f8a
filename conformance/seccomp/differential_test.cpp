// hull's own compiler of seccomp profiles against libseccomp's: both programs run in an
// interpreter, for every number of every architecture, numbers beside these and far out, and
// arguments near the values that the rules compare with. The verdicts are the same, but for calls
// that are newer than the profile: ENOSYS, of which libseccomp knows nothing (runc puts it in front
// of its program).
//
// Rules that libseccomp itself gets wrong (random_profile.cpp) are held against the profile.
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "conformance/seccomp/random_profile.h"
#include "conformance/seccomp/reference.h"
#include "libruntime/security/seccomp_profile.h"
#include "libruntime/security/seccomp_testing.h"
#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

using configs::SeccompOperator;
using security::Choice;
using security::Condition;
using security::SyscallArch;
using Archs = std::vector<const SyscallArch*>;
using Code = std::vector<sock_filter>;

constexpr uint32_t kX32Bit = 0x40000000;
constexpr uint32_t kEnosys = SECCOMP_RET_ERRNO | ENOSYS;

// All of one byte order.
Archs every_arch(bool little_endian) {
  Archs out;
  for (const SyscallArch& arch : security::syscall_archs())
    if (arch.little_endian() == little_endian) out.push_back(&arch);
  return out;
}

Archs some_archs(Random& random) {
  Archs out = every_arch(below(random, 2) == 0);
  std::shuffle(out.begin(), out.end(), random);
  out.resize(1 + below(random, out.size()));
  return out;
}

Archs engine_archs() {
  return {security::find_syscall_arch("SCMP_ARCH_X86_64"),
          security::find_syscall_arch("SCMP_ARCH_X86"),
          security::find_syscall_arch("SCMP_ARCH_X32")};
}

// --- What a profile says, rule by rule
// -------------------------------------------------------------
bool holds(const Condition& one, bool wide, uint64_t argument) {
  const uint64_t bits = wide ? ~uint64_t{0} : ~0U;
  const uint64_t value = one.value & bits;
  argument &= bits;
  switch (one.op) {
    case SeccompOperator::eq:
      return argument == value;
    case SeccompOperator::ne:
      return argument != value;
    case SeccompOperator::lt:
      return argument < value;
    case SeccompOperator::le:
      return argument <= value;
    case SeccompOperator::ge:
      return argument >= value;
    case SeccompOperator::gt:
      return argument > value;
    case SeccompOperator::masked_eq:
      return (argument & one.mask) == value;
  }
  return false;
}

// The rules for one number of an architecture, those of socketcall(2) and ipc(2) included.
std::vector<Choice> rules_for(const security::RuleSet& rules, const SyscallArch& arch,
                              uint32_t number) {
  const auto is = [number](int32_t one) {
    return one != security::kNoCall && static_cast<uint32_t>(one) == number;
  };
  std::vector<Choice> out;
  for (const security::SyscallRule& rule : rules.rules) {
    if (is(arch.numbers[rule.row])) out.push_back(rule.choice);
    const security::Multiplexed way = security::multiplexed(rule.row);
    if (way.number == 0 || !is(way.ipc ? arch.ipc : arch.socketcall)) continue;
    Choice carried{{{0, SeccompOperator::eq, way.number}}, rule.choice.action};
    for (const Condition& one : rule.choice.conditions)
      if (one.argument != 0) carried.conditions.push_back(one);
    out.push_back(carried);
  }
  for (Choice& choice : out)
    std::erase_if(choice.conditions, [&](const Condition& one) {
      return (one.mask & (arch.wide() ? ~uint64_t{0} : ~0U)) == 0;
    });
  return out;
}

// What may be the answer: several actions when several rules hold.
std::set<uint32_t> allowed_answers(const std::vector<Choice>& rules, uint32_t default_action,
                                   bool wide, const seccomp_data& call) {
  std::set<uint32_t> out;
  for (const Choice& rule : rules) {
    if (rule.conditions.empty()) return {rule.action};
  }
  for (const Choice& rule : rules)
    if (std::all_of(rule.conditions.begin(), rule.conditions.end(), [&](const Condition& one) {
          return holds(one, wide, call.args[one.argument]);
        }))
      out.insert(rule.action);
  if (out.empty()) out.insert(default_action);
  return out;
}

// Whether the call is newer than all that the profile names.
bool is_newer(const security::RuleSet& rules, const SyscallArch& arch, uint32_t number) {
  if (rules.known_rows.empty()) return false;
  if (number == 0 && arch.name.starts_with("SCMP_ARCH_S390")) return true;
  bool any = false;
  for (const size_t row : rules.known_rows) {
    const security::Multiplexed way = security::multiplexed(row);
    std::vector<int32_t> numbers{arch.numbers[row]};
    if (way.number != 0 && arch.socketcall != security::kNoCall)
      numbers.push_back(way.ipc ? arch.ipc : arch.socketcall);
    for (const int32_t one : numbers) {
      if (one == security::kNoCall) continue;
      any = true;
      if (number <= static_cast<uint32_t>(one)) return false;
    }
  }
  return any;
}

// --- The calls that are tried
// ----------------------------------------------------------------------
std::set<uint32_t> numbers_of(const SyscallArch& arch) {
  std::set<uint32_t> out{0,       1,   100000,      0x7fffffff, 0x80000000,
                         ~0U - 1, ~0U, kX32Bit - 1, kX32Bit,    kX32Bit | 600};
  for (size_t row = 0; row < security::syscall_count(); ++row) {
    if (arch.numbers[row] == security::kNoCall) continue;
    const auto number = static_cast<uint32_t>(arch.numbers[row]);
    out.insert({number - 1, number, number + 1, number ^ kX32Bit});
  }
  return out;
}

using Values = std::array<std::vector<uint64_t>, 6>;

Values values_of(const std::vector<Choice>& rules) {
  Values out;
  for (auto& list : out) list = {0, 1};
  for (const Choice& rule : rules)
    for (const Condition& one : rule.conditions) out[one.argument].push_back(one.value);
  return out;
}

void fill(Random& random, const Values& values, seccomp_data& call) {
  for (size_t i = 0; i < values.size(); ++i)
    call.args[i] = near(random, values[i][below(random, values[i].size())]);
}

// As the architecture lays it out: its upper half comes first when it is big-endian.
seccomp_data laid_out(seccomp_data call, const SyscallArch& arch) {
  const bool native = std::endian::native == std::endian::little;
  if (arch.little_endian() != native)
    for (auto& argument : call.args) argument = argument << 32U | argument >> 32U;
  return call;
}

struct Counts {
  size_t profiles = 0, refused = 0, verdicts = 0, newer = 0, differences = 0;
};

class Comparison {
 public:
  Comparison(const configs::Seccomp& profile, Archs archs, Random& random, Counts& counts)
      : archs_(std::move(archs)),
        rules_(security::rule_set(profile)),
        random_(random),
        counts_(counts) {
    try {
      own_ = security::assemble(security::decide(rules_, archs_, SECCOMP_RET_KILL_THREAD));
    } catch (const Error&) {  // rules contradict each other
    }
  }

  void with_libseccomp(const configs::Seccomp& profile) {
    reference_ = reference_filter(profile, archs_);
    if (own_.empty()) CHECK_FALSE(reference_);
    if (!reference_) own_.clear();
  }

  // `vectors` are the sets of arguments for a call with conditions.
  void run(unsigned vectors) {
    ++(own_.empty() ? counts_.refused : counts_.profiles);
    if (own_.empty()) return;
    for (const SyscallArch& arch : security::syscall_archs()) {
      // Calls of what the filter does not cover are few.
      const auto covered = std::find(archs_.begin(), archs_.end(), &arch);
      for (const uint32_t number : numbers_of(arch))
        if (covered != archs_.end() || number % 64 == 0) compare(arch, number, vectors);
    }
  }

 private:
  // Whose numbers are meant: x86_64 and x32 share an AUDIT_ARCH_*. Null: not covered.
  const SyscallArch* meant(const SyscallArch& arch, uint32_t number) {
    const bool x32 = arch.audit_arch() == AUDIT_ARCH_X86_64 && number >= kX32Bit;
    for (const SyscallArch* one : archs_)
      if (one->audit_arch() == arch.audit_arch() &&
          (one->audit_arch() != AUDIT_ARCH_X86_64 || x32 == (one->token != AUDIT_ARCH_X86_64)))
        return one;
    return nullptr;
  }

  void compare(const SyscallArch& arch, uint32_t number, unsigned vectors) {
    const SyscallArch* actual = meant(arch, number);
    const std::vector<Choice> rules =
        actual != nullptr ? rules_for(rules_, *actual, number) : std::vector<Choice>{};
    const bool conditional = std::any_of(
        rules.begin(), rules.end(), [](const Choice& rule) { return !rule.conditions.empty(); });
    const bool newer = actual != nullptr && is_newer(rules_, *actual, number);
    const Values values = values_of(rules);
    for (unsigned i = 0; i < (conditional ? vectors : 2); ++i) {
      seccomp_data call{static_cast<int>(number), arch.audit_arch(), 0, {}};
      fill(random_, values, call);
      const seccomp_data seen = laid_out(call, arch);
      const uint32_t own = security::simulate(own_, seen);
      ++counts_.verdicts;
      counts_.newer += newer ? 1 : 0;
      if (actual != nullptr && !newer &&
          allowed_answers(rules, rules_.default_action, actual->wide(), call).count(own) == 0)
        report(arch, call, own, "the profile");
      if (newer && own != kEnosys) report(arch, call, own, "the profile's age");
      if (reference_ && !newer && own != security::simulate(*reference_, seen))
        report(arch, call, own, "libseccomp");
    }
  }

  void report(const SyscallArch& arch, const seccomp_data& call, uint32_t own,
              const char* against) {
    if (++counts_.differences > 20) return;
    std::printf("0x%x for %s call 0x%x is against %s; arguments", own,
                std::string(arch.name).c_str(), static_cast<unsigned>(call.nr), against);
    for (const uint64_t argument : call.args)
      std::printf(" 0x%llx", static_cast<unsigned long long>(argument));
    std::puts("");
  }

  Archs archs_;
  security::RuleSet rules_;
  Code own_;  // empty: refused
  std::optional<Code> reference_;
  Random& random_;
  Counts& counts_;
};

void conclude(const char* title, const Counts& counts) {
  std::printf(
      "%s: %zu profiles (%zu more contradict themselves), %zu verdicts compared, %zu of them "
      "ENOSYS "
      "for newer calls: %zu differences\n",
      title, counts.profiles, counts.refused, counts.verdicts, counts.newer, counts.differences);
  std::fflush(stdout);
  CHECK(counts.differences == 0);
}

void compare_random(size_t profiles) {
  Counts counts;
  Random random(1);
  while (counts.profiles < profiles) {
    const configs::Seccomp profile = random_profile(random, true);
    Comparison comparison(profile, some_archs(random), random, counts);
    comparison.with_libseccomp(profile);
    comparison.run(100);
  }
  conclude("random profiles against libseccomp", counts);
}

}  // namespace

TEST_CASE("The engines' default profiles have libseccomp's verdicts", "[seccomp]") {
  Counts counts;
  Random random(2);
  for (const char* engine :
       {"docker", "docker-all-capabilities", "docker-some-capabilities", "podman", "containerd"}) {
    const configs::Seccomp profile = engine_profile(engine);
    for (const Archs& archs : {engine_archs(), every_arch(true), every_arch(false)}) {
      Comparison comparison(profile, archs, random, counts);
      comparison.with_libseccomp(profile);
      comparison.run(2000);
    }
  }
  CHECK(counts.refused == 0);
  conclude("default profiles against libseccomp", counts);
}

TEST_CASE("Some random profiles have libseccomp's verdicts", "[seccomp]") { compare_random(25); }

TEST_CASE("500 random profiles have libseccomp's verdicts", "[seccomp][.][slow]") {
  compare_random(500);
}

TEST_CASE("Random profiles of any rules mean what they say", "[seccomp]") {
  Counts counts;
  Random random(3);
  while (counts.profiles < 100)
    Comparison(random_profile(random, false), some_archs(random), random, counts).run(50);
  conclude("wild profiles", counts);
}

}  // namespace hull::conformance

#include "libruntime/cgroups/device_program.h"

#include <cstring>
#include <random>

#include "libruntime/cgroups/device_rules.h"
#include "libruntime/system/catch.h"

namespace hull::cgroups {
namespace {

using configs::DeviceRule;

struct Access {
  char type;
  uint32_t major;
  uint32_t minor;
  unsigned bits;
};

// The reference: for each letter the last rule about it decides.
bool allowed(const std::vector<DeviceRule>& rules, const Access& access) {
  for (const unsigned bit : {kDeviceMknod, kDeviceRead, kDeviceWrite}) {
    if ((access.bits & bit) == 0) continue;
    bool verdict = false;
    for (const DeviceRule& rule : rules) {
      const bool matches = (rule.type == 'a' || rule.type == access.type) &&
                           (rule.major == -1 || rule.major == access.major) &&
                           (rule.minor == -1 || rule.minor == access.minor);
      if (matches && (device_bits(rule.permissions) & bit) != 0) verdict = rule.allow;
    }
    if (!verdict) return false;
  }
  return true;
}

// An interpreter for the instructions that device_program uses; -1 for any other, for a jump out of
// the program and for a register that was never set.
int run(const std::vector<bpf_insn>& program, const Access& access) {
  const bpf_cgroup_dev_ctx context{
      (access.bits << 16) | (access.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
      access.major, access.minor};
  uint64_t registers[11] = {};
  bool known[11] = {};
  known[1] = true;
  for (size_t at = 0; at < program.size(); ++at) {
    const bpf_insn& i = program[at];
    const auto value = static_cast<uint32_t>(i.imm);
    const auto jump = [&] {
      if (i.off < 0) at = program.size();
      at += static_cast<size_t>(i.off);
    };
    uint64_t& target = registers[i.dst_reg];
    if (i.code == (BPF_LDX | BPF_MEM | BPF_W)) {
      if (i.src_reg != 1 || i.off < 0 || static_cast<size_t>(i.off) > sizeof context - 4) return -1;
      uint32_t word = 0;
      std::memcpy(&word, reinterpret_cast<const char*>(&context) + i.off, 4);
      target = word;
      known[i.dst_reg] = true;
    } else if (i.code == (BPF_ALU | BPF_MOV | BPF_X)) {
      if (!known[i.src_reg]) return -1;
      target = static_cast<uint32_t>(registers[i.src_reg]);
      known[i.dst_reg] = true;
    } else if (i.code == (BPF_ALU | BPF_MOV | BPF_K)) {
      target = value;
      known[i.dst_reg] = true;
    } else if (!known[i.dst_reg] && i.code != (BPF_JMP | BPF_EXIT)) {
      return -1;
    } else if (i.code == (BPF_ALU | BPF_AND | BPF_K)) {
      target = static_cast<uint32_t>(target) & value;
    } else if (i.code == (BPF_ALU | BPF_RSH | BPF_K)) {
      target = static_cast<uint32_t>(target) >> value;
    } else if (i.code == (BPF_JMP32 | BPF_JNE | BPF_K)) {
      if (static_cast<uint32_t>(target) != value) jump();
    } else if (i.code == (BPF_JMP32 | BPF_JEQ | BPF_K)) {
      if (static_cast<uint32_t>(target) == value) jump();
    } else if (i.code == (BPF_JMP | BPF_EXIT)) {
      return known[0] ? static_cast<int>(registers[0]) : -1;
    } else {
      return -1;
    }
  }
  return -1;
}

std::vector<DeviceRule> random_rules(std::mt19937& random) {
  const auto pick = [&](auto... values) {
    const int64_t list[] = {static_cast<int64_t>(values)...};
    return list[random() % sizeof...(values)];
  };
  static constexpr const char* kLetters[] = {"r", "w", "m", "rw", "rm", "wm", "rwm", "rwm"};
  std::vector<DeviceRule> rules(random() % 9);
  for (DeviceRule& rule : rules) {
    rule.type = static_cast<char>(pick('a', 'b', 'c', 'c'));
    rule.major = pick(-1, 0, 1, 2, 4294967294);
    rule.minor = pick(-1, 0, 1, 2, 2147483648);
    if (random() % 4 == 0) rule = {'a', -1, -1, "", false};
    rule.permissions = kLetters[random() % 8];
    rule.allow = random() % 2 == 0;
  }
  return rules;
}

std::vector<Access> all_accesses() {
  std::vector<Access> out;
  for (const char type : {'b', 'c'})
    for (const uint32_t major : {0U, 1U, 3U, 4294967294U})
      for (const uint32_t minor : {0U, 1U, 3U, 2147483648U})
        for (unsigned bits = 1; bits <= kDeviceAll; ++bits)
          out.push_back({type, major, minor, bits});
  return out;
}

TEST_CASE("the device program's verdict is that of the rules, for thousands of random lists") {
  std::mt19937 random(20140615);
  const std::vector<Access> accesses = all_accesses();
  int differences = 0;
  for (int round = 0; round < 10'000 && differences == 0; ++round) {
    const std::vector<DeviceRule> rules = random_rules(random);
    const std::vector<bpf_insn> program = device_program(rules);
    for (const Access& access : accesses)
      if (run(program, access) != (allowed(rules, access) ? 1 : 0)) ++differences;
  }
  CHECK(differences == 0);
}

// The kernel's way with devices.list (security/device_cgroup.c), to hold the v1 form against the
// rules.
bool allowed_by_list(const DeviceList& list, const Access& access) {
  for (const DeviceException& one : list.exceptions) {
    const bool matches = one.type == access.type &&
                         (one.major == -1 || one.major == access.major) &&
                         (one.minor == -1 || one.minor == access.minor);
    if (!matches) continue;
    if (!list.allow_by_default && (access.bits & ~one.bits) == 0) return true;
    if (list.allow_by_default && (access.bits & one.bits) != 0) return false;
  }
  return list.allow_by_default;
}

TEST_CASE("the v1 list's verdict is that of the rules too, or the rules are refused") {
  std::mt19937 random(19700101);
  const std::vector<Access> accesses = all_accesses();
  int differences = 0;
  int compared = 0;
  for (int round = 0; round < 5000 && differences == 0; ++round) {
    const std::vector<DeviceRule> rules = random_rules(random);
    DeviceList list;
    try {
      list = device_list(rules);
    } catch (const std::exception&) {
      continue;
    }
    ++compared;
    for (const Access& access : accesses) {
      // mknod(2) is asked for alone, never together with opening.
      if ((access.bits & kDeviceMknod) != 0 && access.bits != kDeviceMknod) continue;
      if (allowed_by_list(list, access) != allowed(rules, access)) ++differences;
    }
  }
  CHECK(differences == 0);
  CHECK(compared > 1000);
}

TEST_CASE("a rule about everything ends the program") {
  const DeviceRule deny_all{'a', -1, -1, "rwm", false};
  const std::vector<DeviceRule> rules{{'c', 1, 3, "rwm", true}, deny_all};
  CHECK(device_program(rules).size() == device_program({}).size());
}

}  // namespace
}  // namespace hull::cgroups

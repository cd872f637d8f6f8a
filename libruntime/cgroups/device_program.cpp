#include "libruntime/cgroups/device_program.h"

#include <cstdint>

#include "libruntime/cgroups/device_rules.h"

namespace hull::cgroups {
namespace {

enum Register : uint8_t {
  kResult = 0,
  kContext = 1,
  kType = 2,
  kAccess = 3,
  kMajor = 4,
  kMinor = 5
};

bpf_insn instruction(int code, uint8_t target, uint8_t source, int16_t offset, uint32_t value) {
  bpf_insn out{};
  out.code = static_cast<uint8_t>(code);
  out.dst_reg = target & 0xf;
  out.src_reg = source & 0xf;
  out.off = offset;
  out.imm = static_cast<int32_t>(value);
  return out;
}

bpf_insn load_word(Register target, size_t offset) {
  return instruction(BPF_LDX | BPF_MEM | BPF_W, target, kContext, static_cast<int16_t>(offset), 0);
}
bpf_insn copy(Register target, Register source) {
  return instruction(BPF_ALU | BPF_MOV | BPF_X, target, source, 0, 0);
}
bpf_insn set(Register target, uint32_t value) {
  return instruction(BPF_ALU | BPF_MOV | BPF_K, target, 0, 0, value);
}
bpf_insn mask(Register target, uint32_t value) {
  return instruction(BPF_ALU | BPF_AND | BPF_K, target, 0, 0, value);
}
bpf_insn shift_right(Register target, uint32_t bits) {
  return instruction(BPF_ALU | BPF_RSH | BPF_K, target, 0, 0, bits);
}
bpf_insn jump_unless_equal(Register left, uint32_t right) {
  return instruction(BPF_JMP32 | BPF_JNE | BPF_K, left, 0, 0, right);
}
bpf_insn jump_if_equal(Register left, uint32_t right) {
  return instruction(BPF_JMP32 | BPF_JEQ | BPF_K, left, 0, 0, right);
}
bpf_insn leave() { return instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0); }

void append_return(std::vector<bpf_insn>& program, bool allow) {
  program.push_back(set(kResult, allow ? 1 : 0));
  program.push_back(leave());
}

// kAccess holds the letters that no later rule has decided yet. Every jump of a block leads to its
// end, which is the next earlier rule.
void append_rule(std::vector<bpf_insn>& program, const configs::DeviceRule& rule) {
  const unsigned bits = device_bits(rule.permissions);
  if (bits == 0) return;
  const size_t start = program.size();
  if (rule.type != 'a')
    program.push_back(
        jump_unless_equal(kType, rule.type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
  if (rule.major != -1)
    program.push_back(jump_unless_equal(kMajor, static_cast<uint32_t>(rule.major)));
  if (rule.minor != -1)
    program.push_back(jump_unless_equal(kMinor, static_cast<uint32_t>(rule.minor)));
  if (bits != kDeviceAll && rule.allow) {
    program.push_back(mask(kAccess, ~bits));
    program.push_back(jump_unless_equal(kAccess, 0));
  } else if (bits != kDeviceAll) {
    program.push_back(copy(kResult, kAccess));
    program.push_back(mask(kResult, bits));
    program.push_back(jump_if_equal(kResult, 0));
  }
  append_return(program, rule.allow);
  for (size_t i = start; i < program.size(); ++i) {
    const bool jumps = BPF_CLASS(program[i].code) == BPF_JMP32;
    if (jumps) program[i].off = static_cast<int16_t>(program.size() - i - 1);
  }
}

bool names_devices(const configs::DeviceRule& rule) {
  return rule.type == 'a' || rule.type == 'b' || rule.type == 'c' || rule.type == 'u';
}

}  // namespace

std::vector<bpf_insn> device_program(const std::vector<configs::DeviceRule>& rules) {
  std::vector<bpf_insn> program{
      // access_type: the letters in the upper half, the type in the lower.
      load_word(kType, offsetof(bpf_cgroup_dev_ctx, access_type)),
      copy(kAccess, kType),
      mask(kType, 0xffff),
      shift_right(kAccess, 16),
      load_word(kMajor, offsetof(bpf_cgroup_dev_ctx, major)),
      load_word(kMinor, offsetof(bpf_cgroup_dev_ctx, minor)),
  };
  for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
    if (is_reset(*rule)) {
      append_return(program, rule->allow);
      return program;
    }
    if (names_devices(*rule)) append_rule(program, *rule);
  }
  append_return(program, false);
  return program;
}

}  // namespace hull::cgroups

#include <fuzzer/FuzzedDataProvider.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "libruntime/configs/names.h"
#include "libruntime/security/seccomp.h"
#include "libruntime/security/syscalls.h"
#include "libruntime/system/error.h"

// libFuzzer: profiles with any rules. Nothing but hull::Error may come out of the compiler, and a
// program must be one that the kernel takes (seccomp_check_filter, bpf_check_classic).
namespace {

using namespace hull;

configs::SeccompCall call_of(FuzzedDataProvider& in) {
  configs::SeccompCall call;
  const size_t row = in.ConsumeIntegralInRange<size_t>(0, security::syscall_count());
  call.name = row == security::syscall_count() ? in.ConsumeRandomLengthString(16)
                                               : std::string(security::syscall_name(row));
  call.action = static_cast<configs::SeccompAction>(in.ConsumeIntegralInRange(0, 7));
  if (in.ConsumeBool()) call.errno_ret = in.ConsumeIntegral<unsigned>();
  for (int left = in.ConsumeIntegralInRange(0, 7); left > 0; --left) {
    configs::SeccompArg& arg = call.args.emplace_back();
    arg.index = in.ConsumeIntegralInRange<unsigned>(0, 7);
    arg.value = in.ConsumeIntegral<uint64_t>();
    arg.value_two = in.ConsumeIntegral<uint64_t>();
    arg.op = static_cast<configs::SeccompOperator>(in.ConsumeIntegralInRange(0, 6));
  }
  return call;
}

configs::Seccomp profile_of(FuzzedDataProvider& in) {
  configs::Seccomp profile;
  profile.default_action = static_cast<configs::SeccompAction>(in.ConsumeIntegralInRange(0, 7));
  if (in.ConsumeBool()) profile.default_errno_ret = in.ConsumeIntegral<unsigned>();
  const auto& archs = configs::kSeccompArchs;
  for (int left = in.ConsumeIntegralInRange(0, 4); left > 0; --left)
    profile.architectures.emplace_back(
        archs[in.ConsumeIntegralInRange<size_t>(0, archs.size() - 1)].spec);
  profile.flags_given = true;
  while (in.remaining_bytes() > 0 && profile.calls.size() < 400)
    profile.calls.push_back(call_of(in));
  return profile;
}

void check(const configs::SeccompProgram& program) {
  const size_t size = program.instructions.size();
  if (size == 0 || size > BPF_MAXINSNS) std::abort();
  for (size_t i = 0; i < size; ++i) {
    sock_filter one{};
    static_assert(sizeof one == sizeof program.instructions[0]);
    std::memcpy(&one, &program.instructions[i], sizeof one);
    const size_t left = size - i - 1;
    switch (BPF_CLASS(one.code)) {
      case BPF_LD:
        if (BPF_MODE(one.code) == BPF_ABS && (one.k % 4 != 0 || one.k >= sizeof(seccomp_data)))
          std::abort();
        break;
      case BPF_JMP:
        if (BPF_OP(one.code) == BPF_JA ? one.k >= left : one.jt >= left || one.jf >= left)
          std::abort();
        break;
      case BPF_ALU:
      case BPF_RET:
        break;
      default:
        std::abort();
    }
    if (left == 0 && BPF_CLASS(one.code) != BPF_RET) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider in(data, size);
  const configs::Seccomp profile = profile_of(in);
  try {
    check(security::compile(profile));
  } catch (const Error&) {
  }
  return 0;
}

#include "libruntime/security/seccomp_raw.h"

#include <linux/seccomp.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "libruntime/system/error.h"

namespace hull::security {
namespace {

constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string decoded(std::string_view base64) {
  if (base64.size() % 4 != 0) throw Error("this is no base64: characters are missing");
  for (int padding = 0; padding < 2 && base64.ends_with('='); ++padding) base64.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : base64) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) throw Error("this is no base64: it has " + quote({&c, 1}));
    bits = bits << 6U | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    out += static_cast<char>(bits >> count & 0xffU);
  }
  return out;
}

}  // namespace

std::vector<sock_filter> raw_program(std::string_view base64) {
  constexpr size_t kLongest = (BPF_MAXINSNS * sizeof(sock_filter) + 2) / 3 * 4;
  if (base64.size() > kLongest)
    throw Error("the program is too large: the kernel takes " + std::to_string(BPF_MAXINSNS) +
                " instructions");
  const std::string bytes = decoded(base64);
  if (bytes.empty() || bytes.size() % sizeof(sock_filter) != 0)
    throw Error("no BPF program has " + std::to_string(bytes.size()) + " bytes");
  std::vector<sock_filter> out(bytes.size() / sizeof(sock_filter));
  std::memcpy(out.data(), bytes.data(), bytes.size());
  for (const sock_filter& one : out)
    if (one.code == (BPF_RET | BPF_K) &&
        (one.k & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_USER_NOTIF)
      throw Error("a raw seccomp program cannot notify");
  return out;
}

}  // namespace hull::security

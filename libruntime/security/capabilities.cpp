#include "libruntime/security/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/log.h"

namespace hull::security {
namespace {

constexpr std::array<std::string_view, 41> kNames{"CAP_CHOWN",
                                                  "CAP_DAC_OVERRIDE",
                                                  "CAP_DAC_READ_SEARCH",
                                                  "CAP_FOWNER",
                                                  "CAP_FSETID",
                                                  "CAP_KILL",
                                                  "CAP_SETGID",
                                                  "CAP_SETUID",
                                                  "CAP_SETPCAP",
                                                  "CAP_LINUX_IMMUTABLE",
                                                  "CAP_NET_BIND_SERVICE",
                                                  "CAP_NET_BROADCAST",
                                                  "CAP_NET_ADMIN",
                                                  "CAP_NET_RAW",
                                                  "CAP_IPC_LOCK",
                                                  "CAP_IPC_OWNER",
                                                  "CAP_SYS_MODULE",
                                                  "CAP_SYS_RAWIO",
                                                  "CAP_SYS_CHROOT",
                                                  "CAP_SYS_PTRACE",
                                                  "CAP_SYS_PACCT",
                                                  "CAP_SYS_ADMIN",
                                                  "CAP_SYS_BOOT",
                                                  "CAP_SYS_NICE",
                                                  "CAP_SYS_RESOURCE",
                                                  "CAP_SYS_TIME",
                                                  "CAP_SYS_TTY_CONFIG",
                                                  "CAP_MKNOD",
                                                  "CAP_LEASE",
                                                  "CAP_AUDIT_WRITE",
                                                  "CAP_AUDIT_CONTROL",
                                                  "CAP_SETFCAP",
                                                  "CAP_MAC_OVERRIDE",
                                                  "CAP_MAC_ADMIN",
                                                  "CAP_SYSLOG",
                                                  "CAP_WAKE_ALARM",
                                                  "CAP_BLOCK_SUSPEND",
                                                  "CAP_AUDIT_READ",
                                                  "CAP_PERFMON",
                                                  "CAP_BPF",
                                                  "CAP_CHECKPOINT_RESTORE"};

constexpr unsigned kMaxCapability = 63;  // the sets are 64 bits wide

constexpr uint64_t bit(unsigned capability) { return uint64_t{1} << capability; }

struct Sets {
  uint64_t effective = 0;
  uint64_t permitted = 0;
  uint64_t inheritable = 0;
};

long raw_capget(Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, 2> data{};
  const long result = syscall(SYS_capget, &header, data.data());
  const auto join = [&](auto member) { return data[0].*member | uint64_t{data[1].*member} << 32; };
  sets = {join(&__user_cap_data_struct::effective), join(&__user_cap_data_struct::permitted),
          join(&__user_cap_data_struct::inheritable)};
  return result;
}

long raw_capset(const Sets& sets) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const auto low = [](uint64_t set) { return static_cast<uint32_t>(set); };
  const auto high = [](uint64_t set) { return static_cast<uint32_t>(set >> 32); };
  const std::array<__user_cap_data_struct, 2> data{
      __user_cap_data_struct{low(sets.effective), low(sets.permitted), low(sets.inheritable)},
      __user_cap_data_struct{high(sets.effective), high(sets.permitted), high(sets.inheritable)}};
  return syscall(SYS_capset, &header, data.data());
}

bool kernel_has(unsigned capability) { return prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; }

// Of those that have a name here.
uint64_t kernel_mask() {
  unsigned count = kNames.size();
  while (count > 0 && !kernel_has(count - 1)) --count;
  return bit(count) - 1;
}

bool same_name(std::string_view a, std::string_view upper) {
  return std::equal(a.begin(), a.end(), upper.begin(), upper.end(), [](char x, char y) {
    return (x >= 'a' && x <= 'z' ? static_cast<char>(x - 'a' + 'A') : x) == y;
  });
}

std::string list_of(uint64_t mask) {
  std::string out = "[";
  for (unsigned i = 0; i <= kMaxCapability; ++i) {
    if ((mask & bit(i)) == 0) continue;
    if (out.size() > 1) out += ' ';
    if (i < kNames.size())
      out += kNames[i];
    else
      out += std::to_string(i);
  }
  return out + "]";
}

// Cuts `set` down to `allowed`.
void limit(uint64_t& set, uint64_t allowed, std::string_view why) {
  const uint64_t refused = set & ~allowed;
  if (refused == 0) return;
  set &= allowed;
  log::warning(std::string(why) + ": " + list_of(refused));
}

// The slow way, taken when capset(2) said no: this process holds less than the launcher thought.
Sets grantable(const Sets& wanted) {
  Sets own;
  if (raw_capget(own) != 0) throw Error("cannot read own capabilities", "capget", errno);
  uint64_t bounding = 0;
  for (unsigned i = 0; i <= kMaxCapability; ++i)
    if (prctl(PR_CAPBSET_READ, i, 0, 0, 0) == 1) bounding |= bit(i);
  Sets out = wanted;
  limit(out.permitted, own.permitted, "ignoring permitted capabilities that hull does not hold");
  limit(out.effective, out.permitted, "ignoring effective capabilities that hull does not hold");
  limit(out.inheritable, own.inheritable | (own.permitted & bounding),
        "ignoring inheritable capabilities that hull does not hold");
  return out;
}

void raise_ambient(const configs::CapabilityMasks& masks) {
  // capset(2) keeps ambient within inheritable: without inheritable ones none are left to clear.
  if (masks.inheritable == 0 && masks.ambient == 0) return;
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
    if (errno == EINVAL && masks.ambient == 0) return;  // a kernel before 4.3 has no such set
    throw Error("cannot clear the ambient capabilities", "prctl(PR_CAP_AMBIENT)", errno)
        .field("/process/capabilities/ambient");
  }
  uint64_t refused = 0;
  for (unsigned i = 0; i <= kMaxCapability; ++i) {
    if ((masks.ambient & bit(i)) == 0) continue;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) == 0) continue;
    if (errno != EPERM)
      throw Error("cannot raise ambient capability " + std::string(list_of(bit(i))),
                  "prctl(PR_CAP_AMBIENT)", errno)
          .field("/process/capabilities/ambient");
    refused |= bit(i);
  }
  if (refused != 0)
    log::warning("ignoring ambient capabilities that cannot be raised: " + list_of(refused));
}

}  // namespace

std::span<const std::string_view> capability_names() { return kNames; }

unsigned last_capability() {
  unsigned last = kNames.size() - 1;
  while (last > 0 && !kernel_has(last)) --last;
  while (last < kMaxCapability && kernel_has(last + 1)) ++last;
  return last;
}

uint64_t capability_mask(const std::vector<std::string>& names, std::vector<std::string>& unknown) {
  uint64_t mask = 0;
  for (const std::string& name : names) {
    unsigned i = 0;
    while (i < kNames.size() && !same_name(name, kNames[i])) ++i;
    if (i < kNames.size())
      mask |= bit(i);
    else if (std::find(unknown.begin(), unknown.end(), name) == unknown.end())
      unknown.push_back(name);
  }
  return mask;
}

configs::CapabilityMasks to_masks(const configs::Capabilities& capabilities,
                                  bool in_user_namespace) {
  std::vector<std::string> unknown;
  configs::CapabilityMasks masks{.bounding = capability_mask(capabilities.bounding, unknown),
                                 .effective = capability_mask(capabilities.effective, unknown),
                                 .inheritable = capability_mask(capabilities.inheritable, unknown),
                                 .permitted = capability_mask(capabilities.permitted, unknown),
                                 .ambient = capability_mask(capabilities.ambient, unknown)};
  const std::array sets{&masks.bounding, &masks.effective, &masks.inheritable, &masks.permitted,
                        &masks.ambient};
  uint64_t all = 0;
  for (const uint64_t* set : sets) all |= *set;

  const uint64_t kernel = kernel_mask();
  for (unsigned i = 0; i < kNames.size(); ++i)
    if ((all & ~kernel & bit(i)) != 0) unknown.emplace_back(kNames[i]);
  if (!unknown.empty()) {
    std::string text = "ignoring unknown or unavailable capabilities: [";
    for (const std::string& name : unknown) text += (&name == &unknown[0] ? "" : " ") + name;
    log::warning(text + "]");
  }
  all &= kernel;

  uint64_t held = kernel;
  if (!in_user_namespace) {
    // A process that execve(2) gave its capabilities has no more in the bounding set than here.
    Sets own;
    if (raw_capget(own) != 0) throw Error("cannot read own capabilities", "capget", errno);
    held = own.permitted & kernel;
  }
  limit(all, held, "ignoring capabilities that hull itself does not hold");
  for (uint64_t* set : sets) *set &= held;
  limit(masks.effective, masks.permitted, "ignoring effective capabilities that are not permitted");
  limit(masks.inheritable, masks.bounding,
        "ignoring inheritable capabilities that are not in the bounding set");
  limit(masks.ambient, masks.permitted & masks.inheritable,
        "ignoring ambient capabilities that are not both permitted and inheritable");
  return masks;
}

void drop_bounding(const configs::CapabilityMasks& masks) {
  for (unsigned i = 0; i <= kMaxCapability; ++i) {
    if ((masks.bounding & bit(i)) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) == 0) continue;
    const int code = errno;
    if (code == EINVAL) return;  // past the kernel's last one
    const int present = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
    if (present <= 0) continue;  // without CAP_SETPCAP, but there is nothing to drop
    throw Error("cannot drop " + list_of(bit(i)) + " from the bounding set",
                "prctl(PR_CAPBSET_DROP)", code)
        .field("/process/capabilities/bounding")
        .hint("this needs CAP_SETPCAP, or a user namespace");
  }
}

void keep_over_setuid(bool keep) {
  if (prctl(PR_SET_KEEPCAPS, keep ? 1 : 0, 0, 0, 0) != 0)
    throw Error("cannot choose whether capabilities outlive setuid", "prctl(PR_SET_KEEPCAPS)",
                errno)
        .field("/process/capabilities");
}

void apply(const configs::CapabilityMasks& masks) {
  const Sets wanted{masks.effective, masks.permitted, masks.inheritable};
  if (raw_capset(wanted) != 0 && (errno != EPERM || raw_capset(grantable(wanted)) != 0))
    throw Error("cannot set capabilities", "capset", errno).field("/process/capabilities");
  raise_ambient(masks);
}

}  // namespace hull::security

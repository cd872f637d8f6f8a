#include <fcntl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "libruntime/cgroups/device_program.h"
#include "libruntime/cgroups/device_rules.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/text.h"

// Loading and attaching device programs with bpf(2).
namespace hull::cgroups {
namespace {

constexpr std::string_view kField = "/linux/resources/devices";

// Larger than any kernel's own union, and zeroed: from 6.17 on BPF_PROG_QUERY writes behind the
// fields that older headers know, and would hit the caller's stack.
union Attributes {
  bpf_attr bpf;
  std::array<unsigned char, 512> room;
  Attributes() { std::memset(this, 0, sizeof *this); }
};

int call_bpf(bpf_cmd command, Attributes& attributes) {
  return static_cast<int>(syscall(SYS_bpf, command, &attributes, sizeof attributes));
}

uint64_t address(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer); }

int load(const std::vector<bpf_insn>& program, std::string* verifier_log) {
  Attributes attributes;
  attributes.bpf.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
  attributes.bpf.insns = address(program.data());
  attributes.bpf.insn_cnt = static_cast<uint32_t>(program.size());
  attributes.bpf.license = address("Apache-2.0");
  std::memcpy(attributes.bpf.prog_name, "hull_devices", sizeof "hull_devices");
  if (verifier_log != nullptr) {
    verifier_log->resize(size_t{64} << 10);
    attributes.bpf.log_buf = address(verifier_log->data());
    attributes.bpf.log_size = static_cast<uint32_t>(verifier_log->size());
    attributes.bpf.log_level = 1;
  }
  return call_bpf(BPF_PROG_LOAD, attributes);
}

// Before 5.11 programs count as locked memory, which is limited to 64 KiB; the limit is put back,
// for the container would inherit it.
int load_unlimited(const std::vector<bpf_insn>& program) {
  rlimit before{};
  if (getrlimit(RLIMIT_MEMLOCK, &before) != 0) return -1;
  const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return -1;
  const int fd = load(program, nullptr);
  const int code = errno;
  if (setrlimit(RLIMIT_MEMLOCK, &before) != 0)
    throw Error("cannot put RLIMIT_MEMLOCK back", "setrlimit", errno);
  errno = code;
  return fd;
}

Fd load_program(const std::vector<bpf_insn>& program) {
  Fd fd(load(program, nullptr));
  if (!fd && errno == EPERM && geteuid() == 0) fd.reset(load_unlimited(program));
  if (fd) return fd;
  const int code = errno;
  Error error("cannot load the device filter", "bpf", code);
  error.set_field(kField);
  if (code == EPERM || code == EACCES)
    error.set_hint(
        "this needs CAP_BPF and CAP_NET_ADMIN (or CAP_SYS_ADMIN) in the initial user namespace");
  if (code == EINVAL || code == EACCES) {
    std::string log;
    if (const Fd again(load(program, &log)); !again && !trim(log.c_str()).empty())
      error.set_hint("the verifier says: " + std::string(trim(log.c_str())));
  }
  if (code == ENOSYS) error.set_hint("the kernel lacks CONFIG_BPF_SYSCALL or CONFIG_CGROUP_BPF");
  throw error;
}

struct Attached {
  uint32_t flags = 0;
  std::vector<uint32_t> ids;
};

Attached attached_programs(int cgroup) {
  Attached out;
  out.ids.resize(64);
  for (;;) {
    Attributes attributes;
    attributes.bpf.query.target_fd = static_cast<uint32_t>(cgroup);
    attributes.bpf.query.attach_type = BPF_CGROUP_DEVICE;
    attributes.bpf.query.prog_ids = address(out.ids.data());
    attributes.bpf.query.prog_cnt = static_cast<uint32_t>(out.ids.size());
    if (call_bpf(BPF_PROG_QUERY, attributes) == 0) {
      out.flags = attributes.bpf.query.attach_flags;
      out.ids.resize(attributes.bpf.query.prog_cnt);
      return out;
    }
    if (errno != ENOSPC)
      throw Error("cannot list the device filters of the cgroup", "bpf", errno).field(kField);
    out.ids.resize(out.ids.size() * 2);
  }
}

// Empty when the program went meanwhile.
Fd open_program(uint32_t id) {
  Attributes attributes;
  attributes.bpf.prog_id = id;
  Fd fd(call_bpf(BPF_PROG_GET_FD_BY_ID, attributes));
  if (!fd && errno != ENOENT)
    throw Error("cannot open an earlier device filter", "bpf", errno).field(kField);
  return fd;
}

int attach(int cgroup, int program, int replaced) {
  Attributes attributes;
  attributes.bpf.target_fd = static_cast<uint32_t>(cgroup);
  attributes.bpf.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.bpf.attach_type = BPF_CGROUP_DEVICE;
  attributes.bpf.attach_flags = BPF_F_ALLOW_MULTI;
  if (replaced >= 0) {
    attributes.bpf.attach_flags |= BPF_F_REPLACE;
    attributes.bpf.replace_bpf_fd = static_cast<uint32_t>(replaced);
  }
  return call_bpf(BPF_PROG_ATTACH, attributes);
}

void attach_or_throw(int cgroup, int program) {
  if (attach(cgroup, program, -1) == 0) return;
  Error error("cannot attach the device filter to the cgroup", "bpf", errno);
  error.set_field(kField);
  if (error.code() == EPERM)
    error.set_hint("a parent cgroup has a filter that allows no others below it");
  throw error;
}

void detach(int cgroup, int program) {
  Attributes attributes;
  attributes.bpf.target_fd = static_cast<uint32_t>(cgroup);
  attributes.bpf.attach_bpf_fd = static_cast<uint32_t>(program);
  attributes.bpf.attach_type = BPF_CGROUP_DEVICE;
  if (call_bpf(BPF_PROG_DETACH, attributes) != 0 && errno != ENOENT)
    throw Error("cannot detach an earlier device filter", "bpf", errno).field(kField);
}

// All filters of a cgroup must agree, so the new one can come first and the old ones go after it.
// One that was attached as the only one (without BPF_F_ALLOW_MULTI) tolerates none beside it.
void exchange(int cgroup, int program) {
  const Attached before = attached_programs(cgroup);
  std::vector<Fd> old;
  for (const uint32_t id : before.ids)
    if (Fd fd = open_program(id)) old.push_back(std::move(fd));
  const bool alone = !old.empty() && (before.flags & BPF_F_ALLOW_MULTI) == 0;
  if (old.size() == 1 && !alone && program >= 0 && attach(cgroup, program, old[0].get()) == 0)
    return;
  if (program >= 0 && !alone) attach_or_throw(cgroup, program);
  for (const Fd& fd : old) detach(cgroup, fd.get());
  if (program >= 0 && alone) attach_or_throw(cgroup, program);
}

}  // namespace

void set_v2_devices(const std::string& dir, const std::vector<configs::DeviceRule>& rules,
                    bool fresh) {
  const bool needed = !allows_everything(rules);
  if (!needed && fresh) return;
  const Fd cgroup = open_or_throw(AT_FDCWD, dir, O_RDONLY | O_DIRECTORY);
  const Fd program = needed ? load_program(device_program(rules)) : Fd();
  if (fresh) {
    attach_or_throw(cgroup.get(), program.get());
  } else {
    exchange(cgroup.get(), program.get());
  }
}

}  // namespace hull::cgroups

#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

// What a container uses: values as the kernel gives them, in runc's units. What a host does not
// have is 0 or absent.
namespace hull::cgroups {

// Pressure stall information (Documentation/accounting/psi.rst).
struct Pressure {
  struct Line {
    double avg10 = 0;
    double avg60 = 0;
    double avg300 = 0;
    uint64_t total = 0;  // microseconds
  };
  Line some;
  Line full;
};

struct CpuStats {
  uint64_t total = 0;  // nanoseconds, as all times here
  uint64_t kernel = 0;
  uint64_t user = 0;
  std::vector<uint64_t> percpu;  // v1
  std::vector<uint64_t> percpu_kernel;
  std::vector<uint64_t> percpu_user;
  uint64_t periods = 0;
  uint64_t throttled_periods = 0;
  uint64_t throttled_time = 0;
  uint64_t bursts = 0;
  uint64_t burst_time = 0;
  std::optional<Pressure> pressure;
};

// v1's files, by name without "cpuset.".
struct CpusetStats {
  std::vector<unsigned> cpus;
  std::vector<unsigned> mems;
  std::map<std::string, int64_t> flags;  // "cpu_exclusive", "sched_relax_domain_level", ...
};

struct MemoryUse {
  uint64_t limit = 0;  // UINT64_MAX: none (v2)
  uint64_t usage = 0;
  uint64_t max = 0;
  uint64_t fail_count = 0;
};

struct MemoryStats {
  uint64_t cache = 0;
  MemoryUse usage;
  MemoryUse swap;  // memory and swap together, on both versions
  MemoryUse kernel;
  MemoryUse kernel_tcp;
  std::map<std::string, uint64_t> raw;  // memory.stat
  std::optional<MemoryUse> swap_only;   // v2: memory.swap.*
  std::map<std::string, uint64_t> events;
  std::map<std::string, uint64_t> events_local;
  std::optional<Pressure> pressure;
};

struct PidsStats {
  uint64_t current = 0;
  uint64_t limit = 0;  // 0: none
};

struct BlockEntry {
  uint64_t major = 0;
  uint64_t minor = 0;
  std::string op;  // "Read", "Write", ...; empty where the kernel tells none apart
  uint64_t value = 0;
};

struct BlockStats {
  std::vector<BlockEntry> service_bytes;
  std::vector<BlockEntry> serviced;
  std::vector<BlockEntry> queued;
  std::vector<BlockEntry> service_time;
  std::vector<BlockEntry> wait_time;
  std::vector<BlockEntry> merged;
  std::vector<BlockEntry> time;
  std::vector<BlockEntry> sectors;
  std::optional<Pressure> pressure;
};

struct HugetlbStats {
  uint64_t usage = 0;
  uint64_t max = 0;
  uint64_t fail_count = 0;
};

// Of one device; UINT32_MAX is no limit.
struct RdmaEntry {
  std::string device;
  uint32_t hca_handles = 0;
  uint32_t hca_objects = 0;
};

struct MiscStats {
  uint64_t usage = 0;
  uint64_t events = 0;  // refused because of the limit
};

// Of the host's end of a pair, as the container sees it: what the host's end sends, the container
// receives.
struct InterfaceStats {
  std::string name;
  uint64_t rx_bytes = 0;
  uint64_t rx_packets = 0;
  uint64_t rx_errors = 0;
  uint64_t rx_dropped = 0;
  uint64_t tx_bytes = 0;
  uint64_t tx_packets = 0;
  uint64_t tx_errors = 0;
  uint64_t tx_dropped = 0;
};

struct Stats {
  CpuStats cpu;
  CpusetStats cpuset;
  MemoryStats memory;
  PidsStats pids;
  BlockStats block;
  std::map<std::string, HugetlbStats> hugetlb;  // by page size: "2MB"
  std::vector<RdmaEntry> rdma_current;
  std::vector<RdmaEntry> rdma_limit;
  std::map<std::string, MiscStats> misc;  // by resource
  std::vector<InterfaceStats> interfaces;
};

// `paths` are runc's cgroup_paths: the directory of each v1 controller, "" for v2. A cgroup that is
// gone gives zeros. Throws Error when a file can't be read.
Stats read_stats(const std::map<std::string, std::string>& paths);

// The "data" of a stats event: runc's keys, and keys that runc does not have ("events", "swapOnly",
// "rdma", "misc", "bursts") beside them.
std::string stats_json(const Stats& stats);

}  // namespace hull::cgroups

#include <unistd.h>

#include "libruntime/cgroups/stat_files.h"
#include "libruntime/system/text.h"

// Statistics from the files of cgroup v1.
namespace hull::cgroups {
namespace {

void read_cpu(const std::string& dir, CpuStats& out) {
  const auto stat = parse_flat(read_stat_file(dir, "cpu.stat"));
  out.periods = value_of(stat, "nr_periods");
  out.throttled_periods = value_of(stat, "nr_throttled");
  out.throttled_time = value_of(stat, "throttled_time");
  out.bursts = value_of(stat, "nr_bursts");
  out.burst_time = value_of(stat, "burst_time");
}

// "cpu user system" lines, below a heading.
void read_percpu_modes(const std::string& dir, CpuStats& out) {
  const std::string text = read_stat_file(dir, "cpuacct.usage_all");
  for (const std::string_view line : split(text, '\n')) {
    const auto numbers = parse_numbers(line);
    if (numbers.size() != 3) continue;
    out.percpu_user.push_back(numbers[1]);
    out.percpu_kernel.push_back(numbers[2]);
  }
}

void read_cpuacct(const std::string& dir, CpuStats& out) {
  out.total = read_stat_number(dir, "cpuacct.usage");
  const auto stat = parse_flat(read_stat_file(dir, "cpuacct.stat"));
  constexpr uint64_t kNanoseconds = 1'000'000'000;
  const auto tick = kNanoseconds / static_cast<uint64_t>(sysconf(_SC_CLK_TCK));
  out.user = value_of(stat, "user") * tick;
  out.kernel = value_of(stat, "system") * tick;
  out.percpu = parse_numbers(read_stat_file(dir, "cpuacct.usage_percpu"));
  read_percpu_modes(dir, out);
}

void read_cpuset(const std::string& dir, CpusetStats& out) {
  out.cpus = parse_list(read_stat_file(dir, "cpuset.cpus"));
  out.mems = parse_list(read_stat_file(dir, "cpuset.mems"));
  for (const char* name : {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate",
                           "memory_spread_page", "memory_spread_slab", "memory_pressure",
                           "sched_load_balance", "sched_relax_domain_level"}) {
    const std::string text = read_stat_file(dir, "cpuset." + std::string(name));
    if (const auto value = parse_number<int64_t>(trim(text))) out.flags[name] = *value;
  }
}

MemoryUse read_memory_use(const std::string& dir, const std::string& prefix) {
  return {read_stat_number(dir, prefix + ".limit_in_bytes"),
          read_stat_number(dir, prefix + ".usage_in_bytes"),
          read_stat_number(dir, prefix + ".max_usage_in_bytes"),
          read_stat_number(dir, prefix + ".failcnt")};
}

void read_memory(const std::string& dir, MemoryStats& out) {
  out.raw = parse_flat(read_stat_file(dir, "memory.stat"));
  out.cache = value_of(out.raw, "cache");
  out.usage = read_memory_use(dir, "memory");
  out.swap = read_memory_use(dir, "memory.memsw");
  out.kernel = read_memory_use(dir, "memory.kmem");
  out.kernel_tcp = read_memory_use(dir, "memory.kmem.tcp");
  const auto oom = parse_flat(read_stat_file(dir, "memory.oom_control"));
  if (oom.contains("oom_kill")) out.events["oom_kill"] = value_of(oom, "oom_kill");
}

// BFQ's numbers, else CFQ's (kernels before 5.0), else those of the throttling layer, which knows
// two of them only.
void read_block(const std::string& dir, BlockStats& out) {
  struct Number {
    const char* file;
    std::vector<BlockEntry> BlockStats::*list;
  };
  static constexpr Number kNumbers[] = {
      {"io_service_bytes_recursive", &BlockStats::service_bytes},
      {"io_serviced_recursive", &BlockStats::serviced},
      {"io_queued_recursive", &BlockStats::queued},
      {"io_service_time_recursive", &BlockStats::service_time},
      {"io_wait_time_recursive", &BlockStats::wait_time},
      {"io_merged_recursive", &BlockStats::merged},
      {"time_recursive", &BlockStats::time},
      {"sectors_recursive", &BlockStats::sectors},
  };
  for (const char* layer : {"blkio.bfq.", "blkio.", "blkio.throttle."}) {
    for (const Number& number : kNumbers)
      out.*number.list = parse_block_lines(read_stat_file(dir, std::string(layer) + number.file));
    if (!out.serviced.empty()) return;
  }
}

void read_hugetlb(const std::string& dir, Stats& out) {
  for (const std::string& size : page_sizes(file_names(dir), "usage_in_bytes")) {
    const std::string prefix = "hugetlb." + size;
    out.hugetlb[size] = {read_stat_number(dir, prefix + ".usage_in_bytes"),
                         read_stat_number(dir, prefix + ".max_usage_in_bytes"),
                         read_stat_number(dir, prefix + ".failcnt")};
  }
}

struct Reader {
  const char* controller;
  void (*read)(const std::string& dir, Stats& out);
};
constexpr Reader kReaders[] = {
    {"cpu", [](const std::string& dir, Stats& out) { read_cpu(dir, out.cpu); }},
    {"cpuacct", [](const std::string& dir, Stats& out) { read_cpuacct(dir, out.cpu); }},
    {"cpuset", [](const std::string& dir, Stats& out) { read_cpuset(dir, out.cpuset); }},
    {"memory", [](const std::string& dir, Stats& out) { read_memory(dir, out.memory); }},
    {"pids", [](const std::string& dir, Stats& out) { read_pids(dir, out.pids); }},
    {"blkio", [](const std::string& dir, Stats& out) { read_block(dir, out.block); }},
    {"hugetlb", read_hugetlb},
    {"rdma", read_rdma},
    {"misc", read_misc},
};

}  // namespace

void read_v1_stats(const std::map<std::string, std::string>& paths, Stats& out) {
  for (const Reader& reader : kReaders)
    if (const auto path = paths.find(reader.controller); path != paths.end())
      reader.read(path->second, out);
}

}  // namespace hull::cgroups

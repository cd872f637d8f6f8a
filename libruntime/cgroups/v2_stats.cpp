#include "libruntime/cgroups/stat_files.h"
#include "libruntime/system/text.h"

// Statistics from the files of cgroup v2.
namespace hull::cgroups {
namespace {

constexpr uint64_t kMicrosecond = 1000;

void read_cpu(const std::string& dir, CpuStats& out) {
  const auto stat = parse_flat(read_stat_file(dir, "cpu.stat"));
  const auto time = [&](const char* key) { return value_of(stat, key) * kMicrosecond; };
  out.total = time("usage_usec");
  out.user = time("user_usec");
  out.kernel = time("system_usec");
  out.periods = value_of(stat, "nr_periods");
  out.throttled_periods = value_of(stat, "nr_throttled");
  out.throttled_time = time("throttled_usec");
  out.bursts = value_of(stat, "nr_bursts");
  out.burst_time = time("burst_usec");
}

MemoryUse read_memory_use(const std::string& dir, const std::string& prefix) {
  return {read_stat_limit(dir, prefix + ".max"), read_stat_number(dir, prefix + ".current"),
          read_stat_number(dir, prefix + ".peak"), 0};
}

void read_memory(const std::string& dir, MemoryStats& out) {
  out.raw = parse_flat(read_stat_file(dir, "memory.stat"));
  out.cache = value_of(out.raw, "file");
  out.events = parse_flat(read_stat_file(dir, "memory.events"));
  out.events_local = parse_flat(read_stat_file(dir, "memory.events.local"));
  out.usage = read_memory_use(dir, "memory");
  out.usage.fail_count = value_of(out.events, "max");
  const MemoryUse swap = read_memory_use(dir, "memory.swap");
  // v1's meaning, of both together, as runc gives it. There is no peak of that.
  out.swap.usage = swap.usage + out.usage.usage;
  out.swap.limit = swap.limit == UINT64_MAX || out.usage.limit == UINT64_MAX
                       ? UINT64_MAX
                       : swap.limit + out.usage.limit;
  if (!read_stat_file(dir, "memory.swap.current").empty()) out.swap_only = swap;
  if (out.swap_only)
    out.swap_only->fail_count =
        value_of(parse_flat(read_stat_file(dir, "memory.swap.events")), "fail");
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6"; what v1 had no word for is left out, as in
// runc.
void read_io(const std::string& dir, BlockStats& out) {
  struct Key {
    std::string_view prefix;
    const char* op;
    std::vector<BlockEntry> BlockStats::*list;
  };
  static constexpr Key kKeys[] = {{"rbytes=", "Read", &BlockStats::service_bytes},
                                  {"wbytes=", "Write", &BlockStats::service_bytes},
                                  {"rios=", "Read", &BlockStats::serviced},
                                  {"wios=", "Write", &BlockStats::serviced}};
  const std::string text = read_stat_file(dir, "io.stat");
  for (const std::string_view line : split(text, '\n')) {
    const auto words = split(trim(line), ' ');
    const auto numbers = split(words[0], ':');
    if (numbers.size() != 2) continue;
    for (const std::string_view word : words)
      for (const Key& key : kKeys)
        if (word.starts_with(key.prefix))
          (out.*key.list)
              .push_back({parse_number<uint64_t>(numbers[0]).value_or(0),
                          parse_number<uint64_t>(numbers[1]).value_or(0), key.op,
                          parse_number<uint64_t>(word.substr(key.prefix.size())).value_or(0)});
  }
}

void read_hugetlb(const std::string& dir, Stats& out) {
  for (const std::string& size : page_sizes(file_names(dir), "current")) {
    const std::string prefix = "hugetlb." + size;
    HugetlbStats& one = out.hugetlb[size];
    one.usage = read_stat_number(dir, prefix + ".current");
    one.fail_count = value_of(parse_flat(read_stat_file(dir, prefix + ".events")), "max");
  }
}

struct Reader {
  const char* v1;  // the controller that takes care of it where there is one
  void (*read)(const std::string& dir, Stats& out);
};
constexpr Reader kReaders[] = {
    {"cpuacct", [](const std::string& dir, Stats& out) { read_cpu(dir, out.cpu); }},
    {"memory", [](const std::string& dir, Stats& out) { read_memory(dir, out.memory); }},
    {"pids", [](const std::string& dir, Stats& out) { read_pids(dir, out.pids); }},
    {"blkio", [](const std::string& dir, Stats& out) { read_io(dir, out.block); }},
    {"hugetlb", read_hugetlb},
    {"rdma", read_rdma},
    {"misc", read_misc},
};

}  // namespace

void read_v2_stats(const std::string& dir, const std::map<std::string, std::string>& taken,
                   Stats& out) {
  for (const Reader& reader : kReaders)
    if (!taken.contains(reader.v1)) reader.read(dir, out);
  // Kept for every cgroup of v2, whatever controllers it has.
  out.cpu.pressure = parse_pressure(read_stat_file(dir, "cpu.pressure"));
  out.memory.pressure = parse_pressure(read_stat_file(dir, "memory.pressure"));
  out.block.pressure = parse_pressure(read_stat_file(dir, "io.pressure"));
}

}  // namespace hull::cgroups

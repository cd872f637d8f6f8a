#include "libruntime/cgroups/stats.h"
#include "libruntime/configs/json_sinks.h"

// runc's types/events.go, field for field: names, order, and what is left out when it is 0.
namespace hull::cgroups {
namespace {

class Writer {
 public:
  std::string write(const Stats& in) {
    out_.begin_object();
    object("cpu", [&] { cpu(in.cpu); });
    object("cpuset", [&] { cpuset(in.cpuset); });
    object("memory", [&] { memory(in.memory); });
    object("pids", [&] {
      put_given("current", in.pids.current);
      put_given("limit", in.pids.limit);
    });
    object("blkio", [&] { block(in.block); });
    object("hugetlb", [&] { hugetlb(in.hugetlb); });
    object("intel_rdt", [] {});
    out_.key("network_interfaces");
    interfaces(in.interfaces);
    if (!in.rdma_current.empty() || !in.rdma_limit.empty())
      object("rdma", [&] {
        rdma("current", in.rdma_current);
        rdma("limit", in.rdma_limit);
      });
    if (!in.misc.empty()) object("misc", [&] { misc(in.misc); });
    out_.end_object();
    return out_.take();
  }

 private:
  template <class T>
  void put(std::string_view key, const T& value) {
    out_.key(key);
    out_.value(value);
  }
  template <class T>
  void put_given(std::string_view key, const T& value) {
    if (value != T{}) put(key, value);
  }
  template <class Members>
  void object(std::string_view key, Members members) {
    out_.key(key);
    out_.begin_object();
    members();
    out_.end_object();
  }
  template <class T>
  void list_given(std::string_view key, const std::vector<T>& values) {
    if (values.empty()) return;
    out_.key(key);
    out_.begin_list();
    for (const T& value : values) out_.value(value);
    out_.end_list();
  }
  void flat_given(std::string_view key, const std::map<std::string, uint64_t>& values) {
    if (values.empty()) return;
    object(key, [&] {
      for (const auto& [name, value] : values) {
        out_.text_key(name);
        out_.value(value);
      }
    });
  }

  void pressure_line(std::string_view key, const Pressure::Line& in) {
    object(key, [&] {
      put("avg10", in.avg10);
      put("avg60", in.avg60);
      put("avg300", in.avg300);
      put("total", in.total);
    });
  }
  void pressure(const std::optional<Pressure>& in) {
    if (!in) return;
    object("psi", [&] {
      pressure_line("some", in->some);
      pressure_line("full", in->full);
    });
  }

  void cpu(const CpuStats& in) {
    object("usage", [&] {
      put_given("total", in.total);
      list_given("percpu", in.percpu);
      list_given("percpu_kernel", in.percpu_kernel);
      list_given("percpu_user", in.percpu_user);
      put("kernel", in.kernel);
      put("user", in.user);
    });
    object("throttling", [&] {
      put_given("periods", in.periods);
      put_given("throttledPeriods", in.throttled_periods);
      put_given("throttledTime", in.throttled_time);
      put_given("bursts", in.bursts);
      put_given("burstTime", in.burst_time);
    });
    pressure(in.pressure);
  }

  void cpuset(const CpusetStats& in) {
    const auto flag = [&](const char* name) {
      const auto found = in.flags.find(name);
      put(name, found == in.flags.end() ? 0 : found->second);
    };
    list_given("cpus", in.cpus);
    flag("cpu_exclusive");
    list_given("mems", in.mems);
    for (const char* name : {"mem_hardwall", "mem_exclusive", "memory_migrate",
                             "memory_spread_page", "memory_spread_slab", "memory_pressure",
                             "sched_load_balance", "sched_relax_domain_level"})
      flag(name);
  }

  void memory_use(std::string_view key, const MemoryUse& in) {
    object(key, [&] {
      put("limit", in.limit);
      put_given("usage", in.usage);
      put_given("max", in.max);
      put("failcnt", in.fail_count);
    });
  }
  void memory(const MemoryStats& in) {
    put_given("cache", in.cache);
    memory_use("usage", in.usage);
    memory_use("swap", in.swap);
    memory_use("kernel", in.kernel);
    memory_use("kernelTCP", in.kernel_tcp);
    flat_given("raw", in.raw);
    pressure(in.pressure);
    if (in.swap_only) memory_use("swapOnly", *in.swap_only);
    flat_given("events", in.events);
    flat_given("eventsLocal", in.events_local);
  }

  void entries(std::string_view key, const std::vector<BlockEntry>& in) {
    if (in.empty()) return;
    out_.key(key);
    out_.begin_list();
    for (const BlockEntry& one : in) {
      out_.begin_object();
      put_given("major", one.major);
      put_given("minor", one.minor);
      put_given("op", one.op);
      put_given("value", one.value);
      out_.end_object();
    }
    out_.end_list();
  }
  void block(const BlockStats& in) {
    entries("ioServiceBytesRecursive", in.service_bytes);
    entries("ioServicedRecursive", in.serviced);
    entries("ioQueueRecursive", in.queued);
    entries("ioServiceTimeRecursive", in.service_time);
    entries("ioWaitTimeRecursive", in.wait_time);
    entries("ioMergedRecursive", in.merged);
    entries("ioTimeRecursive", in.time);
    entries("sectorsRecursive", in.sectors);
    pressure(in.pressure);
  }

  void hugetlb(const std::map<std::string, HugetlbStats>& in) {
    for (const auto& [size, one] : in)
      object(size, [&, &use = one] {
        put_given("usage", use.usage);
        put_given("max", use.max);
        put("failcnt", use.fail_count);
      });
  }

  void interfaces(const std::vector<InterfaceStats>& in) {
    if (in.empty()) return out_.null();
    out_.begin_list();
    for (const InterfaceStats& one : in) {
      out_.begin_object();
      put("Name", std::string_view(one.name));
      put("RxBytes", one.rx_bytes);
      put("RxPackets", one.rx_packets);
      put("RxErrors", one.rx_errors);
      put("RxDropped", one.rx_dropped);
      put("TxBytes", one.tx_bytes);
      put("TxPackets", one.tx_packets);
      put("TxErrors", one.tx_errors);
      put("TxDropped", one.tx_dropped);
      out_.end_object();
    }
    out_.end_list();
  }

  void rdma(std::string_view key, const std::vector<RdmaEntry>& in) {
    out_.key(key);
    out_.begin_list();
    for (const RdmaEntry& one : in) {
      out_.begin_object();
      put("device", one.device);
      put("hcaHandles", one.hca_handles);
      put("hcaObjects", one.hca_objects);
      out_.end_object();
    }
    out_.end_list();
  }

  void misc(const std::map<std::string, MiscStats>& in) {
    for (const auto& [name, one] : in) {
      out_.text_key(name);
      out_.begin_object();
      put("usage", one.usage);
      put("events", one.events);
      out_.end_object();
    }
  }

  configs::TextSink out_;
};

}  // namespace

std::string stats_json(const Stats& stats) { return Writer().write(stats); }

}  // namespace hull::cgroups

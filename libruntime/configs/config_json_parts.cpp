#include "libruntime/configs/config_json_parts.h"

namespace hull::configs {
namespace {

using namespace reading;

void read_scheduler(const Json& in, Scheduler& out) {
  get_name(in, "policy", kSchedulerPolicies, out.policy);
  get(in, "nice", out.nice);
  get(in, "priority", out.priority);
  get_list(in, "flags", out.flags, [](const Json& one, uint64_t& flag) {
    to_named_value(one, "flags", kSchedulerFlags, flag);
  });
  get(in, "runtime", out.runtime);
  get(in, "deadline", out.deadline);
  get(in, "period", out.period);
}

void read_io_priority(const Json& in, IoPriority& out) {
  get_name(in, "class", kIoClasses, out.io_class);
  get(in, "priority", out.priority);
}

// Without the empty words at the end of Go's array: they would ask for CPUs that nobody has.
void get_mask(const Json& object, const char* key, std::vector<uint64_t>& out) {
  get_list(object, key, out);
  while (!out.empty() && out.back() == 0) out.pop_back();
}

void read_memory_policy(const Json& in, MemoryPolicy& out) {
  get(in, "mode", out.mode);
  get(in, "flags", out.flags);
  get_mask(in, "nodes", out.nodes);
}

void read_time_offset(const Json& in, TimeOffset& out) {
  get(in, "secs", out.seconds);
  get(in, "nanosecs", out.nanoseconds);
}

void read_intel_rdt(const Json& in, IntelRdt& out) {
  get(in, "closID", out.clos_id);
  get_list(in, "schemata", out.schemata);
  get(in, "l3_cache_schema", out.l3_cache_schema);
  get(in, "memBwSchema", out.mem_bw_schema);
  get(in, "enableMonitoring", out.enable_monitoring);
}

void read_cpu_affinity(const Json& in, CpuAffinity& out) {
  get_mask(in, "Initial", out.initial);
  get_mask(in, "Final", out.after);
}

void read_network(const Json& in, Network& out) {
  get(in, "type", out.type);
  get(in, "name", out.name);
  get(in, "bridge", out.bridge);
  get(in, "mac_address", out.mac_address);
  get(in, "address", out.address);
  get(in, "gateway", out.gateway);
  get(in, "ipv6_address", out.ipv6_address);
  get(in, "ipv6_gateway", out.ipv6_gateway);
  get(in, "mtu", out.mtu);
  get(in, "txqueuelen", out.tx_queue_length);
  get(in, "host_interface_name", out.host_interface_name);
  get(in, "hairpin_mode", out.hairpin_mode);
}

void read_route(const Json& in, Route& out) {
  get(in, "destination", out.destination);
  get(in, "source", out.source);
  get(in, "gateway", out.gateway);
  get(in, "interface_name", out.interface_name);
}

// Nearly every container's: what a new network namespace has without being asked.
bool goes_without_saying(const Json& list, const Config& config) {
  if (!list.IsArray() || list.Size() != 1) return false;
  const Namespace* ns = config.find(NamespaceType::network);
  if (ns == nullptr || !ns->path.empty()) return false;
  Network only;
  read_network(list[0], only);
  for (const std::string* text :
       {&only.name, &only.bridge, &only.mac_address, &only.address, &only.gateway,
        &only.ipv6_address, &only.ipv6_gateway, &only.host_interface_name})
    if (!text->empty()) return false;
  return only.type == kLoopback && only.mtu == 0 && only.tx_queue_length == 0 && !only.hairpin_mode;
}

}  // namespace

void read_networks(const Json& config, Config& out) {
  const Json* networks = find(config, "networks");
  if (networks != nullptr && !goes_without_saying(*networks, out))
    get_list(config, "networks", out.networks, read_network);
  get_list(config, "routes", out.routes, read_route);
}

void read_rare_parts(const Json& config, Config& out) {
  get_map(config, "netDevices", out.net_devices,
          [](const Json& in, std::string& name) { get(in, "name", name); });
  if (const Json* in = find(config, "intel_rdt")) read_intel_rdt(*in, out.intel_rdt.emplace());
  get_map(config, "time_offsets", out.time_offsets, read_time_offset);
  if (const Json* in = find(config, "scheduler")) read_scheduler(*in, out.scheduler.emplace());
  if (const Json* in = find(config, "personality")) get(*in, "domain", out.personality.emplace());
  if (const Json* in = find(config, "memory_policy"))
    read_memory_policy(*in, out.memory_policy.emplace());
  if (const Json* in = find(config, "io_priority"))
    read_io_priority(*in, out.io_priority.emplace());
  if (const Json* in = find(config, "exec_cpu_affinity"))
    read_cpu_affinity(*in, out.exec_cpu_affinity.emplace());
}

}  // namespace hull::configs

#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/configs/json_reader.h"
#include "libruntime/configs/json_writer.h"
#include "libruntime/configs/names.h"

// The JSON form of those parts of a Config that few containers have. For .cpp files only.
namespace hull::configs {

inline constexpr size_t kMaskWords = 16;

void read_rare_parts(const reading::Json& config, Config& out);
// After the namespaces.
void read_networks(const reading::Json& config, Config& out);

template <class Sink>
void write_network(JsonWriter<Sink>& to, const Network& in) {
  to.begin_object();
  to.put("type", in.type);
  to.put("name", in.name);
  to.put("bridge", in.bridge);
  to.put("mac_address", in.mac_address);
  to.put("address", in.address);
  to.put("gateway", in.gateway);
  to.put("ipv6_address", in.ipv6_address);
  to.put("ipv6_gateway", in.ipv6_gateway);
  to.put("mtu", in.mtu);
  to.put("txqueuelen", in.tx_queue_length);
  to.put("host_interface_name", in.host_interface_name);
  to.put("hairpin_mode", in.hairpin_mode);
  to.end_object();
}

// Both lists. A new network namespace has its loopback set up: runc's restore reads that from here.
template <class Sink>
void write_networks(JsonWriter<Sink>& to, const Config& in) {
  const Namespace* ns = in.find(NamespaceType::network);
  bool add_loopback = ns != nullptr && ns->path.empty();
  for (const Network& one : in.networks) add_loopback = add_loopback && one.type != kLoopback;
  if (add_loopback || !in.networks.empty()) {
    to.begin_list("networks");
    Network loopback;
    loopback.type = kLoopback;
    if (add_loopback) write_network(to, loopback);
    for (const Network& one : in.networks) write_network(to, one);
    to.end_list();
  } else {
    to.null("networks");
  }
  to.list("routes", in.routes, [&](const Route& one) {
    to.begin_object();
    to.put("destination", one.destination);
    to.put("source", one.source);
    to.put("gateway", one.gateway);
    to.put("interface_name", one.interface_name);
    to.end_object();
  });
}

template <class Sink>
void write_scheduler(JsonWriter<Sink>& to, const Scheduler& in) {
  to.object("scheduler", [&] {
    to.put("policy", name_of(kSchedulerPolicies, in.policy));
    to.put_given("nice", in.nice);
    to.put_given("priority", in.priority);
    to.list_given("flags", in.flags,
                  [&](uint64_t flag) { to.value(name_of(kSchedulerFlags, flag)); });
    to.put_given("runtime", in.runtime);
    to.put_given("deadline", in.deadline);
    to.put_given("period", in.period);
  });
}

template <class Sink>
void write_io_priority(JsonWriter<Sink>& to, const IoPriority& in) {
  to.object("io_priority", [&] {
    to.put("class", name_of(kIoClasses, in.io_class));
    to.put("priority", in.priority);
  });
}

// A set of CPUs or memory nodes in Go: an array of words, of which runc 1.3 has 16.
template <class Sink>
void write_mask(JsonWriter<Sink>& to, std::string_view key, std::vector<uint64_t> mask) {
  if (!mask.empty() && mask.size() < kMaskWords) mask.resize(kMaskWords);
  to.list(key, mask, [&](uint64_t word) { to.value(word); });
}

template <class Sink>
void write_memory_policy(JsonWriter<Sink>& to, const MemoryPolicy& in) {
  to.object("memory_policy", [&] {
    to.put_given("mode", in.mode);
    to.put_given("flags", in.flags);
    if (!in.nodes.empty()) write_mask(to, "nodes", in.nodes);
  });
}

template <class Sink>
void write_time_offsets(JsonWriter<Sink>& to, const std::map<std::string, TimeOffset>& in) {
  to.object("time_offsets", [&] {
    for (const auto& [clock, offset] : in) {
      to.object(clock, [&, &shift = offset] {
        to.put_given("secs", shift.seconds);
        to.put_given("nanosecs", shift.nanoseconds);
      });
    }
  });
}

template <class Sink>
void write_net_devices(JsonWriter<Sink>& to, const std::map<std::string, std::string>& in) {
  to.object("netDevices", [&] {
    for (const auto& [device, name] : in)
      to.text_object(device, [&, &new_name = name] { to.put_given("name", new_name); });
  });
}

template <class Sink>
void write_intel_rdt(JsonWriter<Sink>& to, const IntelRdt& in) {
  to.object("intel_rdt", [&] {
    to.put_given("closID", in.clos_id);
    if (!in.schemata.empty()) to.strings("schemata", in.schemata);
    to.put_given("l3_cache_schema", in.l3_cache_schema);
    to.put_given("memBwSchema", in.mem_bw_schema);
    to.put_given("enableMonitoring", in.enable_monitoring);
  });
}

// In runc's order; nothing for what is not given.
template <class Sink>
void write_rare_parts(JsonWriter<Sink>& to, const Config& in) {
  if (!in.net_devices.empty()) write_net_devices(to, in.net_devices);
  if (in.intel_rdt) write_intel_rdt(to, *in.intel_rdt);
  if (!in.time_offsets.empty()) write_time_offsets(to, in.time_offsets);
  if (in.scheduler) write_scheduler(to, *in.scheduler);
  if (in.personality) to.object("personality", [&] { to.put("domain", *in.personality); });
  if (in.memory_policy) write_memory_policy(to, *in.memory_policy);
  if (in.io_priority) write_io_priority(to, *in.io_priority);
  if (in.exec_cpu_affinity) {
    to.object("exec_cpu_affinity", [&] {
      write_mask(to, "Initial", in.exec_cpu_affinity->initial);
      write_mask(to, "Final", in.exec_cpu_affinity->after);
    });
  }
}

}  // namespace hull::configs

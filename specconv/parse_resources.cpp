#include "specconv/parse_parts.h"

// config-linux.md#control-groups
namespace hull::specconv {
namespace {

void read_rule(const Node& node, DeviceRule& out) {
  node.require({"allow"});
  node.read("allow", out.allow);
  std::string type;
  if (node.read("type", type) && !type.empty()) {
    if (type == "a" || type == "b" || type == "c") {
      out.type = type[0];
    } else {
      node.problem("type", "must be a, b or c, not " + quote(type));
    }
  }
  node.read("major", out.major);
  node.read("minor", out.minor);
  node.read("access", out.access);
}

void read_memory(const Node& node, Memory& out) {
  node.read("limit", out.limit);
  node.read("reservation", out.reservation);
  node.read("swap", out.swap);
  node.read("kernel", out.kernel);
  node.read("kernelTCP", out.kernel_tcp);
  node.read("swappiness", out.swappiness);
  node.read("disableOOMKiller", out.disable_oom_killer);
  node.read("useHierarchy", out.use_hierarchy);
  node.read("checkBeforeUpdate", out.check_before_update);
}

void read_cpu(const Node& node, Cpu& out) {
  node.read("shares", out.shares);
  node.read("quota", out.quota);
  node.read("burst", out.burst);
  node.read("period", out.period);
  node.read("realtimeRuntime", out.realtime_runtime);
  node.read("realtimePeriod", out.realtime_period);
  node.read("cpus", out.cpus);
  node.read("mems", out.mems);
  node.read("idle", out.idle);
}

void read_throttles(const Node& parent, std::string_view key, std::vector<ThrottleDevice>& out) {
  parent.each(key, [&](const Node& node) {
    node.require({"major", "minor", "rate"});
    ThrottleDevice& device = out.emplace_back();
    node.read("major", device.major);
    node.read("minor", device.minor);
    node.read("rate", device.rate);
  });
}

void read_block_io(const Node& node, BlockIo& out) {
  node.read("weight", out.weight);
  node.read("leafWeight", out.leaf_weight);
  node.each("weightDevice", [&](const Node& device) {
    device.require({"major", "minor"});
    WeightDevice& one = out.weight_device.emplace_back();
    device.read("major", one.major);
    device.read("minor", one.minor);
    device.read("weight", one.weight);
    device.read("leafWeight", one.leaf_weight);
  });
  read_throttles(node, "throttleReadBpsDevice", out.throttle_read_bps);
  read_throttles(node, "throttleWriteBpsDevice", out.throttle_write_bps);
  read_throttles(node, "throttleReadIOPSDevice", out.throttle_read_iops);
  read_throttles(node, "throttleWriteIOPSDevice", out.throttle_write_iops);
}

void read_network(const Node& node, Network& out) {
  node.read("classID", out.class_id);
  node.each("priorities", [&](const Node& priority) {
    priority.require({"name", "priority"});
    configs::InterfacePriority& one = out.priorities.emplace_back();
    priority.read("name", one.interface);
    priority.read("priority", one.priority);
  });
}

}  // namespace

void read_resources(const Node& node, Resources& out) {
  node.each("devices", [&](const Node& rule) { read_rule(rule, out.devices.emplace_back()); });
  if (const Node memory = node.object("memory"); memory.present())
    read_memory(memory, out.memory.emplace());
  if (const Node cpu = node.object("cpu"); cpu.present()) read_cpu(cpu, out.cpu.emplace());
  // An empty "pids" is what Go's omitempty leaves of an unset limit.
  if (const Node pids = node.object("pids"); pids.has_members()) {
    pids.require({"limit"});
    pids.read("limit", out.pids_limit);
  }
  if (const Node block = node.object("blockIO"); block.present())
    read_block_io(block, out.block_io.emplace());
  node.each("hugepageLimits", [&](const Node& limit) {
    limit.require({"pageSize", "limit"});
    configs::HugepageLimit& one = out.hugepage_limits.emplace_back();
    limit.read("pageSize", one.page_size);
    limit.read("limit", one.limit);
  });
  if (const Node network = node.object("network"); network.present())
    read_network(network, out.network.emplace());
  node.each_member("rdma", [&](const std::string& device, const Node& limit) {
    configs::RdmaLimit& one = out.rdma[device];
    limit.read("hcaHandles", one.hca_handles);
    limit.read("hcaObjects", one.hca_objects);
  });
  node.read("unified", out.unified);
}

}  // namespace hull::specconv

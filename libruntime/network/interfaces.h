#pragma once

#include <string>
#include <vector>

#include "libruntime/configs/config.h"

// A container's networks and routes (configs::Network): pairs of devices with one end on a bridge
// of the host, the loopback device, addresses, routes. "The host" is the network namespace of the
// calling thread. Each throws Error with the field, "/networks/1/address".
namespace hull::network {

// What can be known without looking at the host.
void check_networks(const configs::Config& config);

// Chooses the names of host ends that leave theirs open.
void name_host_ends(std::vector<configs::Network>& networks);

// Makes them all, in this order: loopback, networks, routes. `config` is checked and named; `id`
// marks what is the container's.
void connect(const configs::Config& config, int net_namespace, const std::string& id);

// Removes the host ends that are still there. (They go with the container's network namespace, but
// the kernel takes its time, and one that was joined lives on.)
void disconnect(const std::vector<configs::Network>& networks, const std::string& id);

}  // namespace hull::network

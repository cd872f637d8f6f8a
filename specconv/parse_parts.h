#pragma once

#include "specconv/node.h"
#include "specconv/spec.h"

// What the parse*.cpp files have of each other. Each reads one object of config.json; problems go
// to the node.
namespace hull::specconv {

void read_process(const Node& node, Process& out);
void read_linux(const Node& node, Linux& out);
void read_resources(const Node& node, Resources& out);
void read_seccomp(const Node& node, Seccomp& out);

// One entry of networks and routes, as in state.json and in container.json.
void read_network(const Node& node, configs::Network& out);
void read_route(const Node& node, configs::Route& out);

// A list such as "0-3,7" as a bit mask; an empty text is an absent one.
void read_number_list(const Node& parent, std::string_view key, std::vector<uint64_t>& out);

// A list of ID mappings.
void read_id_maps(const Node& parent, std::string_view key, std::vector<configs::IdMap>& out);

}  // namespace hull::specconv

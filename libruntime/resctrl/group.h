#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/configs/config.h"

// A container's class of service in the resctrl file system (config-linux.md#intelrdt; the kernel's
// Documentation/filesystems/resctrl.rst). `path` is the class's directory, state.json's
// intel_rdt_path. All throw Error.
namespace hull::resctrl {

// Where the file system is mounted.
std::string mount_point();

// The directory of the container's class: closID's, or one of the container's own.
std::string group_path(const std::string& root, const configs::IntelRdt& config,
                       const std::string& id);

// Makes what is missing of the class and of the container's monitoring group, writes the schemata
// and puts the process in. A class of others is not changed: schemata must be what it has. When it
// throws, nothing that it made is left.
void enter(const std::string& path, const configs::IntelRdt& config, const std::string& id,
           pid_t pid);
// Another process of the same container. Nothing when the class has gone meanwhile.
void join(const std::string& path, const configs::IntelRdt& config, const std::string& id,
          pid_t pid);
// New schemata for a class that exists.
void write_schemata(const std::string& path, const configs::IntelRdt& config);
// Removes what was made for this container alone: its own class, its monitoring group.
void remove(const std::string& path, const configs::IntelRdt& config, const std::string& id);

// Whether the lines of a schemata file (`is`) already say what `wanted` says.
bool schemata_match(const std::string& is, const std::vector<std::string>& wanted);

}  // namespace hull::resctrl

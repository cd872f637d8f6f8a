#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "libruntime/checkpoint/external_mounts.h"
#include "libruntime/state/state.h"

// Open files of a container that belong to the host: its standard streams. Pipes are told to CRIU
// by what they were called (descriptors.json, as runc has it); files of the host's mounts, which
// runc can't restore, by CRIU's own name for them (files.json).
namespace hull::checkpoint {

struct ExternalFile {
  std::string name;  // "file[MOUNT:INODE]", hexadecimal
  int stream = -1;   // the init's standard stream that it was; -1: none, it is /dev/null
};

// Files of the host among the standard streams of these processes, the first of which is the init.
std::vector<ExternalFile> find_external_files(const std::vector<pid_t>& processes,
                                              const ContainerMounts& mounts);

// What a restore needs to know of them, in the directory of the images.
void write_descriptors(int images, const std::vector<std::string>& streams,
                       const std::vector<ExternalFile>& files);

struct Descriptors {
  std::vector<std::string> streams;  // what the init's 0, 1 and 2 were: "pipe:[123]", "/dev/null"
  std::vector<ExternalFile> files;
};
// Throws Error. The second file may be missing: runc writes none.
Descriptors read_descriptors(int images);

}  // namespace hull::checkpoint

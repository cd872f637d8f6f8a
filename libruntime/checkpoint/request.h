#pragma once

#include <sys/types.h>

#include <string>

#include "libruntime/checkpoint/options.h"
#include "libruntime/checkpoint/rpc.h"
#include "libruntime/configs/config.h"
#include "libruntime/system/fd.h"

// What checkpoint and restore have in common.
namespace hull::checkpoint {

// The directories of images and logs, open: CRIU reaches them through our descriptors.
struct Directories {
  Fd images;
  Fd work;  // empty: the images'
  std::string images_path, work_path;
  std::string log;  // the log's path

  // Makes those that are missing, with mode 0700, but the images only `to_write`. Throws Error.
  static Directories open(const CriuOptions& options, const std::string& log_file, bool to_write);
  // The same directories in the mount namespace of this process: where CRIU has its own, it can't
  // mount on ours.
  void reopen_in(pid_t pid);
};

// The part of the request that is said in both.
RpcOptions common_options(const CriuOptions& options, const configs::Config& config,
                          const Directories& directories, const std::string& log_file);

// Throws Error when this CRIU is too old for anything.
void require_version(int version);

// "extRootNetNS": the name in the images of a namespace that the container was made to join.
std::string namespace_key(configs::NamespaceType type);

}  // namespace hull::checkpoint

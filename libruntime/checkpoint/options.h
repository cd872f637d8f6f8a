#pragma once

#include <string>

namespace hull {

// CRIU's criu_cg_mode: what it does with cgroups. The default is CRIU's own, "soft": it restores
// properties of cgroups that it had to make.
enum class CgroupsMode { ignore = 0, soft = 3, full = 4, strict = 5, by_default = 6 };

// How CRIU keeps TCP connections quiet meanwhile.
enum class NetworkLock { by_default = 0, iptables = 1, nftables = 2, skip = 3 };

// How a container is checkpointed or restored. Paths are absolute.
struct CriuOptions {
  std::string images_directory;  // made with mode 0700 when it is missing
  std::string work_directory;    // of the logs; empty: images_directory
  std::string parent_images;     // checkpoint: of a pre-dump, relative to images_directory
  bool leave_running = false;
  bool pre_dump = false;  // memory only; the container goes on
  bool tcp_established = false;
  bool tcp_skip_in_flight = false;
  bool tcp_close = false;  // restore: connections as closed ones
  bool link_remap = false;
  bool external_unix_sockets = false;
  bool shell_job = false;
  bool file_locks = false;
  bool auto_dedup = false;
  bool lazy_pages = false;
  // checkpoint with lazy_pages: gets one null byte when pages can be fetched, then is closed.
  int status_fd = -1;
  std::string page_server;  // address; empty: none
  int page_server_port = 0;
  CgroupsMode cgroups_mode = CgroupsMode::by_default;
  NetworkLock network_lock = NetworkLock::by_default;
  bool empty_network = true;      // the network namespace comes back without devices
  std::string lsm_profile;        // restore: "TYPE:NAME" instead of the recorded one
  std::string lsm_mount_context;  // restore
};

}  // namespace hull

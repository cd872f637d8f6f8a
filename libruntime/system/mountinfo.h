#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hull {

// One line of /proc/[pid]/mountinfo (proc(5)); paths are unescaped.
struct MountInfo {
  int id = 0;
  int parent = 0;
  std::string device;  // "8:1"
  std::string root;    // the directory of the file system that is mounted
  std::string mount_point;
  std::string options;      // per mount: "rw,nosuid"
  std::string propagation;  // the optional fields: "shared:2 master:1", "unbindable"
  std::string fs_type;
  std::string source;
  std::string super_options;  // per file system
};

// Lines that make no sense are left out: the kernel writes none.
std::vector<MountInfo> parse_mountinfo(std::string_view text);
// Of this process. Throws Error.
std::vector<MountInfo> read_mountinfo();

// Whether a comma separated option list holds `option`.
bool has_option(std::string_view list, std::string_view option);

}  // namespace hull

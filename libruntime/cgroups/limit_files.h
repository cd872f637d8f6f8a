#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/cgroups/cgroup_file.h"

// Writing limits of a cgroup that is in use, so that they can be put back.
namespace hull::cgroups {

// What files of limits held before they were written.
class FormerLimits {
 public:
  // To be called before `value` is written.
  void remember(const std::string& dir, std::string_view file, std::string_view value);
  // Runs `change`; when it throws, all that it had remembered is put back.
  template <class Change>
  static void guard(Change change) {
    FormerLimits former;
    try {
      change(former);
    } catch (...) {
      former.restore();
      throw;
    }
  }

 private:
  // The last one first. What the kernel refuses becomes a warning.
  void restore() const;

  struct Entry {
    std::string dir;
    std::string file;
    std::string line;  // to write
  };
  std::vector<Entry> entries_;
};

// What has to be written into a file that held `content` to take back the write of `value`: of a
// file with a line for each device ("8:0 rbps=1024") only that device's. Empty: nothing. Pure.
std::string former_line(std::string_view file, std::string_view content, std::string_view value);

// The files of one cgroup. `former` null: nothing is remembered, as for a cgroup that goes when a
// limit is refused.
class LimitFiles {
 public:
  LimitFiles(const std::string& dir, FormerLimits* former) : dir_(dir), former_(former) {}

  [[nodiscard]] std::optional<std::string> read(std::string_view file) const {
    return read_value(dir_, file);
  }
  [[nodiscard]] std::optional<int64_t> read_number(std::string_view file) const {
    return cgroups::read_number(dir_, file);
  }
  // For a file that the write of another one changes.
  void remember(std::string_view file) const;
  // As their namesakes of cgroup_file.h.
  [[nodiscard]] int try_write(std::string_view file, std::string_view value) const;
  void write(std::string_view file, std::string_view value, std::string_view field) const;
  [[noreturn]] void throw_error(std::string_view file, std::string_view value,
                                std::string_view field, int code) const {
    throw_write_error(dir_, file, value, field, code);
  }

 private:
  const std::string& dir_;
  FormerLimits* former_;
};

}  // namespace hull::cgroups

#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Reading and writing a cgroup's files, with as few system calls as can be.
namespace hull::cgroups {

// The value without its last newline; nothing when the file or the cgroup is gone. One read(2): for
// the short files that the kernel gives in one piece (at most 4 KiB). Throws Error.
std::optional<std::string> read_value(const std::string& dir, std::string_view file);
// A number; "max" and whatever else is no number give nothing.
std::optional<int64_t> read_number(const std::string& dir, std::string_view file);
// The words of a file, as of cgroup.controllers.
std::vector<std::string> read_words(const std::string& dir, std::string_view file);
// "frozen 1" in a file of "key value" lines.
bool has_line(std::string_view text, std::string_view line);

// Writes in one write(2); gives 0 or the errno.
int try_write(const std::string& dir, std::string_view file, std::string_view value);
// The same, throws Error with the field of the config.
void write_value(const std::string& dir, std::string_view file, std::string_view value,
                 std::string_view field);
// The Error that write_value throws.
[[noreturn]] void throw_write_error(const std::string& dir, std::string_view file,
                                    std::string_view value, std::string_view field, int code);

bool directory_exists(const std::string& path);
bool is_permission_error(int code);  // EACCES, EPERM, EROFS

// A point in time that waiting must not pass.
class Deadline {
 public:
  explicit Deadline(std::chrono::milliseconds limit) : end_(Clock::now() + limit) {}
  [[nodiscard]] bool passed() const { return Clock::now() >= end_; }
  // For poll(2): rounded up, 0 when passed.
  [[nodiscard]] int remaining_ms() const;

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point end_;
};
inline constexpr std::chrono::seconds kWaitLimit{10};

}  // namespace hull::cgroups

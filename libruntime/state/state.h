#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libruntime/configs/config.h"
#include "libruntime/system/fd.h"
#include "libruntime/system/files.h"

namespace hull::state {

// What is stored of a container: runc's state.json, field for field.
struct State {
  std::string id;
  pid_t init_pid = 0;            // 0: there is none yet
  uint64_t init_start_time = 0;  // /proc/[pid]/stat field 22
  std::string created;           // RFC 3339 with nanoseconds, UTC
  configs::Config config;
  bool rootless = false;
  std::map<std::string, std::string> cgroup_paths;     // controller -> directory; "" is cgroup v2
  std::map<std::string, std::string> namespace_paths;  // "NEWNS" -> "/proc/PID/ns/mnt"
  std::string intel_rdt_path;                          // of its class of service; empty: none
  std::vector<std::string> external_descriptors;       // what fds 0, 1, 2 of the init were
};

std::string to_json(const State& state);
// Throws Error when the text is no state (cut off, wrong types, a pid of 1 or less, relative cgroup
// paths).
State from_json(std::string text);

enum class Status { created, running, paused, stopped };
std::string_view status_name(Status status);

// The message of the error that an ID without a container meets; callers of runc know it.
inline constexpr char kDoesNotExist[] = "container does not exist";

// The directory of one container below the state root. Its existence is the claim of the ID.
class Directory {
 public:
  // Claims `id`: mkdir(2) fails with EEXIST when it is taken ("container with given ID already
  // exists"). Makes the root directory when it is missing.
  static Directory claim(const std::string& root, const std::string& id);
  // Throws Error "container does not exist" when there is none.
  static Directory open(const std::string& root, const std::string& id);

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] int fd() const { return fd_.get(); }
  // Waits until no other process changes this container. Throws "container does not exist" when it
  // was deleted meanwhile. Held until this object dies.
  void lock() const;
  void unlock() const;
  // Whether it was deleted.
  [[nodiscard]] bool removed() const;
  void save(const State& state) const;
  // The same in two steps, around something that may fail.
  [[nodiscard]] FileDraft draft(const State& state) const;
  [[nodiscard]] State load() const;
  // Makes exec.fifo, owned so that the container's root user may open it.
  void make_exec_fifo(uid_t uid, gid_t gid) const;
  [[nodiscard]] bool has_exec_fifo() const;
  // Removes all files and the directory itself: last of all when a container is deleted.
  void remove();

 private:
  void wait_for_lock() const;
  std::string path_;
  Fd fd_;
};

// Whether the recorded init still lives: same start time, neither zombie nor dead (proc(5)).
bool init_alive(const State& state);

// A pidfd of the recorded init, empty when it lives no more. The descriptor first, then the look at
// the start time: then it names this init or nothing. Throws Error when that can't be told.
Fd open_init(const State& state);

// An ID as runc takes it: ^[\w+-.]+$, not "." or "..", at most 1024 bytes. Throws Error "invalid id
// format".
void check_id(const std::string& id);

// The IDs below a root, sorted. A missing root is empty.
std::vector<std::string> list_ids(const std::string& root);

}  // namespace hull::state

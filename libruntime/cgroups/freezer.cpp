#include "libruntime/cgroups/freezer.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "libruntime/cgroups/cgroup_file.h"
#include "libruntime/cgroups/watch.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"

namespace hull::cgroups {
namespace {

constexpr std::string_view kState = "freezer.state";

void write_state(const std::string& dir, std::string_view state) {
  const int code = try_write(dir, kState, state);
  if (code == ENOENT) throw Error("there is no freezer cgroup " + quote(dir), "open", code);
  if (code != 0)
    throw Error("cannot write " + quote(state) + " to " + quote(dir + "/freezer.state"), "write",
                code);
}

// freezer-subsystem.txt, up to Linux 5.3: FREEZING may stay when processes keep coming in (fork,
// exec), and one has to write again or thaw and retry. Reading the state makes the kernel look
// again.
bool reaches_frozen(const std::string& dir, const Deadline& deadline) {
  for (int round = 1; !deadline.passed(); ++round) {
    write_state(dir, "FROZEN");
    if (read_value(dir, kState) == "FROZEN") return true;
    if (round % 50 == 0) {
      write_state(dir, "THAWED");
      poll(nullptr, 0, 10);
    } else if (round % 10 == 0) {
      poll(nullptr, 0, 1);
    }
  }
  return false;
}

// The first of `dir` and its parents that was told to freeze; empty when there is none.
std::string frozen_ancestor(std::string dir, std::string_view file) {
  while (dir.size() > 1) {
    if (read_value(dir, file) == "1") return dir;
    dir.resize(dir.find_last_of('/'));
  }
  return "";
}

[[noreturn]] void throw_not_thawed(const std::string& dir, std::string_view file) {
  const std::string ancestor = frozen_ancestor(dir, file);
  if (ancestor.empty()) throw Error("cgroup " + quote(dir) + " does not thaw");
  throw Error("cgroup " + quote(dir) + " stays frozen, because " + quote(ancestor) + " is")
      .hint("thaw that one");
}

// Told to be frozen or not, waits for cgroup.events to agree.
bool reaches_v2(const std::string& dir, bool frozen, const Deadline& deadline) {
  const EventsFile events(dir);
  const std::string_view wanted = frozen ? "frozen 1" : "frozen 0";
  for (;;) {
    const std::string now = events.read();
    if (has_line(now, wanted)) return true;
    if (now.empty()) throw Error("cgroup " + quote(dir) + " is gone");
    // Of a frozen parent there is no news to wait for.
    if (!frozen && !frozen_ancestor(dir, "cgroup.freeze").empty()) return false;
    if (!events.wait(deadline)) return false;
  }
}

}  // namespace

void freeze_v1(const std::string& dir, bool frozen) {
  if (!frozen) {
    write_state(dir, "THAWED");
    if (read_value(dir, kState) != "THAWED") throw_not_thawed(dir, "freezer.self_freezing");
    return;
  }
  bool done = false;
  try {
    done = reaches_frozen(dir, Deadline(kWaitLimit));
  } catch (...) {
    try_write(dir, kState, "THAWED");
    throw;
  }
  if (done) return;
  write_state(dir, "THAWED");
  throw Error("cgroup " + quote(dir) + " could not be frozen in 10 s")
      .hint("a process of it hangs in the kernel, or new ones come too fast; it was thawed again");
}

void freeze_v2(const std::string& dir, bool frozen) {
  if (const int code = try_write(dir, "cgroup.freeze", frozen ? "1" : "0")) {
    if (code == ENOENT && directory_exists(dir))
      throw Error("the kernel can't freeze cgroups (cgroup.freeze, since Linux 5.2)");
    throw Error("cannot write to " + quote(dir + "/cgroup.freeze"), "write", code);
  }
  bool done = false;
  try {
    done = reaches_v2(dir, frozen, Deadline(kWaitLimit));
  } catch (...) {
    if (frozen) try_write(dir, "cgroup.freeze", "0");
    throw;
  }
  if (done) return;
  if (!frozen) throw_not_thawed(dir, "cgroup.freeze");
  write_value(dir, "cgroup.freeze", "0", "");
  throw Error("cgroup " + quote(dir) + " could not be frozen in 10 s")
      .hint("a process of it hangs in the kernel; it was thawed again");
}

bool frozen_v1(const std::string& dir) {
  const auto state = read_value(dir, kState);
  if (!state || *state == "THAWED") return false;
  return read_value(dir, "freezer.self_freezing").value_or("1") == "1";
}

bool frozen_v2(const std::string& dir) { return read_value(dir, "cgroup.freeze") == "1"; }

std::string frozen_by_v1(const std::string& dir) {
  if (!would_freeze_v1(dir)) return {};
  const std::string first = frozen_ancestor(dir, "freezer.self_freezing");
  return first.empty() ? dir : first;
}

std::string frozen_by_v2(const std::string& dir) {
  if (!has_line(read_value(dir, "cgroup.events").value_or(""), "frozen 1")) return {};
  const std::string first = frozen_ancestor(dir, "cgroup.freeze");
  return first.empty() ? dir : first;
}

bool would_freeze_v1(const std::string& dir) {
  const auto state = read_value(dir, kState);
  return state && *state != "THAWED";
}

}  // namespace hull::cgroups

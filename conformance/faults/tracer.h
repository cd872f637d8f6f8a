#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace hull::conformance {

// A system call of a command: the `nth` (from 1) of this number that the process makes. The
// command is process 0; then those that are attached, then its children in the order of their
// birth.
struct Call {
  size_t process = 0;
  long number = -1;
  unsigned nth = 0;
  bool operator==(const Call&) const = default;
};

// What happens at a call: it fails with an errno, without having been made; or with 0 the process
// is killed at its door.
struct Fault {
  Call at;
  int error = 0;
};

struct TraceOptions {
  // A process that runs already and whose calls count, too: a container's init; 0: none.
  pid_t attach = 0;
  std::chrono::milliseconds limit{10'000};  // then all that is traced is killed
};

// What became of a traced command.
struct Traced {
  int exit_code = -1;  // 128 + N when signal N ended it
  bool timed_out = false;
  bool hit = false;                   // the call was made
  bool hit_after_end = false;         // when the command itself had ended already
  std::chrono::milliseconds time{0};  // from the fault (or the start) to the command's end
  std::string out;                    // also what the container's program writes while it is traced
  std::string err;
  std::vector<Call> calls;
};

// Runs a command under ptrace(2), and all of its children until they execute the busybox of a
// test's root file system: what a container's or a hook's program does is not the runtime's.
Traced trace(const std::vector<std::string>& argv, const Fault* fault,
             const TraceOptions& options = {});

// "openat"; "call 999" when it has no name.
std::string call_name(long number);

}  // namespace hull::conformance

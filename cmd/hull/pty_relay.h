#pragma once

#include <poll.h>

#include <array>
#include <span>
#include <string>

namespace hull::cmd {

// Copies stdin to a container's terminal and its output to stdout, inside the caller's poll loop.
// Never waits by itself, so that signals are served even when nobody reads what the container
// writes.
class PtyRelay {
 public:
  // `master` is set to non-blocking; it stays the caller's. Throws Error.
  explicit PtyRelay(int master);

  using Polls = std::array<pollfd, 3>;
  [[nodiscard]] Polls polls() const;
  // Does what poll(2) said is possible.
  void serve(const Polls& polls);

  // The slave is closed everywhere just now. A program such as systemd opens the console anew for
  // each line: poll(2) can't tell of that, so look again after a while (serve with nothing ready).
  [[nodiscard]] bool hung_up() const { return hung_up_; }
  void look_again() { hung_up_ = false; }

  // The process ended: no more input; true when all output that the terminal holds has been
  // written.
  bool finish();

 private:
  // False when there is nothing to read just now.
  bool read_output();
  void write_output();
  void read_input();
  void write_input();

  int master_;
  std::string input_;   // on its way to the container
  std::string output_;  // on its way to stdout
  bool input_ended_ = false;
  bool output_ended_ = false;  // nobody reads stdout any more: what comes is dropped
  bool hung_up_ = false;
};

}  // namespace hull::cmd

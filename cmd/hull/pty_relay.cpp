#include "cmd/hull/pty_relay.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "libruntime/system/error.h"

namespace hull::cmd {
namespace {

bool try_later(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EINTR); }

}  // namespace

PtyRelay::PtyRelay(int master) : master_(master) {
  const int flags = fcntl(master, F_GETFL);
  if (flags < 0 || fcntl(master, F_SETFL, flags | O_NONBLOCK) != 0)
    throw Error("cannot set the container's terminal to non-blocking", "fcntl", errno);
}

PtyRelay::Polls PtyRelay::polls() const {
  const auto on = [](bool wanted, int fd) { return wanted ? fd : -1; };
  const bool reading = output_.empty() && !hung_up_;
  const bool writing = !input_.empty() && !hung_up_;
  const auto master_events = static_cast<short>((reading ? POLLIN : 0) | (writing ? POLLOUT : 0));
  return {{{on(!input_ended_ && input_.empty(), STDIN_FILENO), POLLIN, 0},
           {on(master_events != 0, master_), master_events, 0},
           {on(!output_.empty(), STDOUT_FILENO), POLLOUT, 0}}};
}

void PtyRelay::serve(const Polls& polls) {
  const auto& [in, terminal, out] = polls;
  if (in.revents != 0) read_input();
  if ((terminal.revents & POLLOUT) != 0) write_input();
  if ((terminal.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
    if (output_.empty())
      read_output();
    else  // asked for POLLOUT only, and POLLHUP would be told again and again
      hung_up_ = true;
  }
  if (out.revents != 0) write_output();
}

bool PtyRelay::finish() {
  input_ended_ = true;
  input_.clear();
  hung_up_ = false;
  if (!output_.empty()) return false;
  while (read_output())
    if (!output_.empty()) return false;
  return true;
}

void PtyRelay::read_input() {
  char buffer[4096];
  const ssize_t got = read(STDIN_FILENO, buffer, sizeof buffer);
  if (got > 0)
    input_.assign(buffer, static_cast<size_t>(got));
  else if (!try_later(got))
    input_ended_ = true;
}

void PtyRelay::write_input() {
  const ssize_t wrote = write(master_, input_.data(), input_.size());
  if (wrote > 0)
    input_.erase(0, static_cast<size_t>(wrote));
  else if (!try_later(wrote))
    input_.clear();
}

bool PtyRelay::read_output() {
  char buffer[4096];
  ssize_t got = 0;
  do got = read(master_, buffer, sizeof buffer);
  while (got < 0 && errno == EINTR);
  if (got > 0) {
    if (!output_ended_) output_.assign(buffer, static_cast<size_t>(got));
    return true;
  }
  // EIO: the last slave was closed (pts(4)).
  if (got == 0 || errno != EAGAIN) hung_up_ = true;
  return false;
}

void PtyRelay::write_output() {
  // After POLLOUT a pipe takes this much without making us wait (pipe(7)).
  const ssize_t wrote =
      write(STDOUT_FILENO, output_.data(), std::min<size_t>(output_.size(), PIPE_BUF));
  if (wrote > 0) {
    output_.erase(0, static_cast<size_t>(wrote));
  } else if (!try_later(wrote)) {
    output_ended_ = true;
    output_.clear();
  }
}

}  // namespace hull::cmd

#pragma once

#include <unistd.h>

#include <array>
#include <cstddef>
#include <utility>

namespace hull {

// While one lives, the descriptors that this thread's Fd objects give up are closed late and
// together: runs of numbers by one close_range(2), 32 at most waiting. Only around code to which it
// does not matter when a descriptor is closed (no pipes, no peers that wait for an end).
class FdCloseBatch {
 public:
  FdCloseBatch() noexcept : outer_(std::exchange(current_, this)) {}
  ~FdCloseBatch() {
    current_ = outer_;
    close_all();
  }
  FdCloseBatch(const FdCloseBatch&) = delete;
  FdCloseBatch& operator=(const FdCloseBatch&) = delete;

  // Closes `fd`, at once or later.
  static void close(int fd) noexcept {
    if (current_ == nullptr) {
      ::close(fd);
    } else {
      current_->add(fd);
    }
  }

 private:
  void add(int fd) noexcept;
  void close_all() noexcept;

  static inline thread_local FdCloseBatch* current_ = nullptr;
  FdCloseBatch* outer_;
  std::array<int, 32> waiting_;
  size_t count_ = 0;
};

// Owns one file descriptor and closes it. Move only; an empty Fd holds -1.
class Fd {
 public:
  Fd() noexcept = default;
  explicit Fd(int fd) noexcept : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  [[nodiscard]] int get() const noexcept { return fd_; }
  [[nodiscard]] bool valid() const noexcept { return fd_ >= 0; }
  explicit operator bool() const noexcept { return valid(); }
  // Gives the descriptor away; the caller closes it.
  [[nodiscard]] int release() noexcept { return std::exchange(fd_, -1); }
  void reset(int fd = -1) noexcept {
    if (fd_ >= 0) FdCloseBatch::close(fd_);
    fd_ = fd;
  }

 private:
  int fd_ = -1;
};

// Closes all descriptors from `first` on; with CLOSE_RANGE_CLOEXEC execve will. False (and errno)
// when that failed. Safe between clone and execve.
[[nodiscard]] bool close_from(unsigned first, unsigned flags) noexcept;

}  // namespace hull

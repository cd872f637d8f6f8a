#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "conformance/container/command.h"
#include "conformance/container/host.h"
#include "conformance/container/hull.h"

namespace hull::conformance {

// For a slow machine: CRIU works in emulated ones only, on some hosts.
inline bool patiently(const std::function<bool()>& condition) {
  return eventually(condition, std::chrono::seconds(60));
}

// CRIU keeps packets away by iptables; where that does not work a test's containers do without:
// they meet no one else.
const std::vector<std::string>& network_flags();

// The images of one container.
class Checkpoint {
 public:
  Checkpoint(const Hull& hull, std::string images) : hull_(hull), images_(std::move(images)) {}

  // save() and restore() fail the test when the command does. restore() detaches.
  void save(const std::vector<std::string>& flags = {}) const;
  [[nodiscard]] Outcome try_save(const std::vector<std::string>& flags = {}) const;
  void restore(const std::vector<std::string>& flags = {}) const;
  [[nodiscard]] Outcome try_restore(const std::vector<std::string>& flags = {}) const;
  // The words of the command, for one that stays in the foreground or in another place.
  [[nodiscard]] std::vector<std::string> restore_command(
      const std::vector<std::string>& flags = {}) const;

  [[nodiscard]] const std::string& images() const { return images_; }

 private:
  const Hull& hull_;
  std::string images_;
};

}  // namespace hull::conformance

#define HULL_NEEDS_CRIU() \
  if (!what_criu_lacks().empty()) HULL_SKIP(what_criu_lacks().c_str())

#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "conformance/container/bundle.h"
#include "conformance/container/command.h"

namespace hull::conformance {

// A directory of 2014: a root file system with a container.json in it, to be changed before use. At
// the end it is CHECKed that nothing is left: no process, mount, cgroup, state, pid file.
class LegacyScene {
 public:
  LegacyScene();
  ~LegacyScene();
  LegacyScene(const LegacyScene&) = delete;
  LegacyScene& operator=(const LegacyScene&) = delete;

  Json config;  // container.json, in the spelling of May 2014

  [[nodiscard]] std::string dir() const { return bundle_.rootfs(); }
  [[nodiscard]] const std::string& mark() const { return bundle_.mark(); }
  [[nodiscard]] const Bundle& bundle() const { return bundle_; }
  // "hull --root STATE nsinit WORDS..."; container.json is written.
  [[nodiscard]] std::vector<std::string> argv(const std::vector<std::string>& words) const;
  // Runs that in the directory.
  Outcome nsinit(const std::vector<std::string>& words, CommandOptions options = {}) const;
  // "exec /bin/sh -c SCRIPT" that way: its stdout without the last newline. Fails the test when it
  // fails.
  std::string sh(const std::string& script) const;
  // Content of a file beside container.json, "" when there is none.
  [[nodiscard]] std::string file(const std::string& name) const;
  // Waits for the container: its init's pid.
  [[nodiscard]] pid_t pid() const;
  // "hull --root STATE WORDS..."
  [[nodiscard]] Outcome hull(const std::vector<std::string>& words) const;

 private:
  Bundle bundle_;
};

// "nsinit exec /bin/sh -c SCRIPT" that runs beside the test. At the end its container is killed, so
// that nsinit can clean up.
class LegacyRun {
 public:
  explicit LegacyRun(const LegacyScene& scene, const std::string& script = "sleep 100");
  ~LegacyRun();
  LegacyRun(const LegacyRun&) = delete;
  LegacyRun& operator=(const LegacyRun&) = delete;

  [[nodiscard]] Process& process() { return process_; }
  // Waits for the end of nsinit.
  Outcome wait();

 private:
  const LegacyScene& scene_;
  Process process_;
  bool ended_ = false;
};

}  // namespace hull::conformance

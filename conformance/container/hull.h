#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "conformance/container/bundle.h"
#include "conformance/container/command.h"

namespace hull::conformance {

// The runtime under test with one container: the program that the environment's HULL names
// (default: the one of this build), with a state root of the test's own. At the end the container
// is deleted by force, and it is CHECKed that no process, mount, cgroup or state directory is left.
class Hull {
 public:
  explicit Hull(const Bundle& bundle);
  // A second container of the same bundle or another, in the state root of `neighbour`.
  Hull(const Bundle& bundle, const Hull& neighbour);
  ~Hull();
  Hull(const Hull&) = delete;
  Hull& operator=(const Hull&) = delete;

  // The program under test, and whether it is hull (not a peer given by HULL).
  static const std::string& program();
  static bool is_hull();

  // "hull --root ROOT WORDS..."
  [[nodiscard]] Outcome command(const std::vector<std::string>& words,
                                const CommandOptions& options = {}) const;
  [[nodiscard]] std::vector<std::string> argv(const std::vector<std::string>& words) const;

  // "hull run FLAGS... --bundle DIR ID"; config.json is written before. The same for create.
  Outcome run(const std::vector<std::string>& flags = {}, const CommandOptions& options = {});
  Outcome create(const std::vector<std::string>& flags = {}, const CommandOptions& options = {});
  Outcome start();
  // create and start; fails the test when either does.
  void launch(const std::vector<std::string>& flags = {});
  Outcome exec(const std::vector<std::string>& args, const std::vector<std::string>& flags = {},
               const CommandOptions& options = {});
  // exec of a shell script: its stdout without the last newline. Fails the test when the script
  // does.
  std::string inside(const std::string& script, const std::vector<std::string>& flags = {});
  Outcome kill(const std::string& signal = "KILL");
  Outcome remove(const std::vector<std::string>& flags = {});
  // `state`, parsed. Fails the test when the command fails.
  [[nodiscard]] Json state() const;
  // "" when there is no such container.
  [[nodiscard]] std::string status() const;
  // Waits for it; false when it does not come within some seconds.
  [[nodiscard]] bool reaches(const std::string& status) const;
  [[nodiscard]] pid_t pid() const;
  // Content of a file of the container's cgroup, without the last newline.
  [[nodiscard]] std::string cgroup_file(const std::string& controller,
                                        const std::string& name) const;
  // A config.json that the runtime must not accept: CHECKs that create fails, and gives the error's
  // text.
  std::string refusal();

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& root() const { return root_; }
  [[nodiscard]] const Bundle& bundle() const { return bundle_; }

 private:
  void check_nothing_left() const;
  const Bundle& bundle_;
  std::string id_;
  std::string root_;
};

// Runs the bundle's script to its end: its stdout without the last newline. Fails the test when the
// script or the runtime does.
std::string output_of(Bundle& bundle, const std::string& script);
// The error of a configuration that must not be accepted.
std::string refusal_of(const Bundle& bundle);

// Whether the text holds the part; for messages of failed checks.
bool contains(std::string_view text, std::string_view part);

}  // namespace hull::conformance

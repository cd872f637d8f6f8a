#pragma once

#include <optional>
#include <string>
#include <vector>

#include "conformance/attacks/attack.h"
#include "conformance/container/bundle.h"
#include "conformance/container/command.h"
#include "conformance/container/host.h"

namespace hull::conformance {

// A bundle with a container of the runtime under attack, and what the attack is after: a directory
// and a secret file of the host's, outside of the root file system.
class Box {
 public:
  explicit Box(const Arena& arena);
  // Deletes the container by force.
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  Bundle bundle;

  [[nodiscard]] const std::string& id() const { return bundle.mark(); }
  // An absolute path of the host; inside the root file system there is nothing of that name.
  [[nodiscard]] std::string decoy() const { return bundle.dir() + "/decoy"; }
  [[nodiscard]] std::string secret() const { return decoy() + "/secret"; }
  // Throws Breach when anything below the decoy is not as it was.
  void decoy_is_untouched() const;
  // Throws Breach when the text has the secret.
  void tells_no_secret(const std::string& text) const;

  [[nodiscard]] Outcome command(std::vector<std::string> words,
                                const CommandOptions& options = {}) const;
  [[nodiscard]] Outcome run(std::vector<std::string> flags = {},
                            const CommandOptions& options = {}) const;
  [[nodiscard]] Outcome create(std::vector<std::string> flags = {},
                               const CommandOptions& options = {}) const;
  [[nodiscard]] Outcome exec(const std::vector<std::string>& args,
                             std::vector<std::string> flags = {},
                             const CommandOptions& options = {}) const;
  // create and start. Throws Error when they fail.
  void launch() const;
  [[nodiscard]] pid_t pid() const;
  // `delete --force`. Throws Breach when it hangs or fails.
  void remove() const;

  // The twin: throws Error when it does not work, or its output lacks the text.
  std::string must_work(const std::string& expected = "") const;
  // The attacked run: what it printed, or nothing when it was refused. Throws Breach when the
  // runtime crashed or hung.
  [[nodiscard]] std::optional<std::string> attempt(std::vector<std::string> flags = {}) const;
  // The same of a command that was done.
  static std::optional<std::string> judged(const Outcome& done);

  // Files of the root file system.
  void put(const std::string& path, const std::string& content, mode_t mode = 0644) const;
  void link(const std::string& target, const std::string& path) const;
  void directory(const std::string& path) const;
  void drop(const std::string& path) const;

 private:
  const Arena& arena_;
  std::string decoy_before_;
};

// What is below a directory: names, kinds, owners, modes, content.
std::string snapshot(const std::string& directory);

// Another process that exchanges two names for as long as this lives: the attacker of a race, in a
// container that shares a directory.
class Swapper {
 public:
  Swapper(std::string one, std::string other);
  ~Swapper();
  Swapper(const Swapper&) = delete;
  Swapper& operator=(const Swapper&) = delete;

 private:
  pid_t pid_ = -1;
};

}  // namespace hull::conformance

#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "conformance/container/bundle.h"
#include "conformance/container/command.h"
#include "conformance/container/host.h"
#include "conformance/container/socket.h"
#include "conformance/suite/case.h"
#include "conformance/suite/result.h"

namespace hull::conformance {

// One case, played with one runtime: a bundle, a state root of its own, the steps, and at the end a
// look for what was left behind. Every command and every comparison goes into the evidence:
//   {"did": "create ID", "exit": 0, "out": "...", "err": "..."}
//   {"of": "status", "wanted": "created", "seen": "created", "ok": true}
class Scene {
 public:
  Scene(const Case& one, const Runtime& runtime, std::string probe);
  Result play();

 private:
  struct Failure {};  // thrown after a failed check: the steps that follow make no sense

  // scene.cpp: the bundle
  void prepare();
  void write_files(const Json& files);
  void add_hooks(const Json& hooks);
  void choose_program();
  void start_neighbour();
  [[nodiscard]] Json value_of(const std::string& variable);
  [[nodiscard]] Json filled(const Json& text);
  [[nodiscard]] Json steps() const;

  // steps.cpp: what a step does. `argument` is the verb's value, `form` the whole step with its
  // options.
  using Verb = void (Scene::*)(const Json& argument, const Json& form);
  static Verb find_verb(const std::string& name);
  void step(const Json& form);
  void create(const Json&, const Json& form);
  void run(const Json&, const Json& form);
  void start(const Json&, const Json& form);
  void remove(const Json&, const Json& form);
  void pause(const Json&, const Json& form);
  void resume(const Json&, const Json& form);
  void kill(const Json& signal, const Json& form);
  void state(const Json& wanted, const Json& form);
  void exec(const Json& args, const Json& form);
  void cli(const Json& words, const Json& form);
  void json(const Json& words, const Json& form);
  void see(const Json& wanted, const Json& form);
  void wait(const Json& wanted, const Json& form);
  void sh(const Json& script, const Json& form);
  void files(const Json& wanted, const Json& form);
  void output(const Json& wanted, const Json& form);
  void cgroup(const Json& wanted, const Json& form);
  void config(const Json& patch, const Json& form);
  void receive(const Json& wanted, const Json& form);
  void gone(const Json&, const Json& form);

  // evidence.cpp: running commands, comparing, cleaning up
  Outcome runtime_command(const std::vector<std::string>& words, const Json& form);
  void judge(const Outcome& outcome, const Json& form);
  void check(const std::string& of, const Json& wanted, const Json& seen,
             const Json& host = Json());
  void check_probe(const Json& wanted, const std::string& text);
  [[nodiscard]] std::vector<std::string> probe_words(const Json& wanted) const;
  [[nodiscard]] std::string status();
  [[nodiscard]] pid_t pid();
  void host_script(const Json& script);
  void clean_up();

  const Case& case_;
  const Runtime& runtime_;
  std::string probe_;
  Json body_;
  Result result_;
  std::optional<Bundle> bundle_;
  std::string id_, root_;
  std::unique_ptr<Process>
      container_;  // the last create or run: the container writes to its output
  std::unique_ptr<Process> neighbour_;
  std::unique_ptr<Listener> listener_;
  Fd terminal_;                // the console's master, once received
  std::string terminal_text_;  // what a run on a terminal showed
};

}  // namespace hull::conformance

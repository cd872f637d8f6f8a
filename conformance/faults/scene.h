#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conformance/container/bundle.h"
#include "conformance/container/command.h"
#include "conformance/faults/tracer.h"

namespace hull::conformance {

// What is done to a container while something fails.
enum class Operation { create, start, run, exec, remove, remove_force, state };
struct OperationName {
  Operation operation;
  std::string_view name;
};
inline constexpr OperationName kOperations[] = {
    {Operation::create, "create"}, {Operation::start, "start"},
    {Operation::run, "run"},       {Operation::exec, "exec"},
    {Operation::remove, "delete"}, {Operation::remove_force, "delete --force"},
    {Operation::state, "state"},
};
std::string_view name_of(Operation operation);

// One bundle and one container ID, made and deleted again and again. The container's program writes
// down all that it can see of its surroundings: whatever a runtime fails to do and does not tell
// shows there.
class Scene {
 public:
  Scene(std::string runtime, bool user_namespace);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  // Puts things as the operation wants them. Throws Error when that fails: what came before has
  // left something.
  void prepare(Operation operation);
  [[nodiscard]] std::vector<std::string> argv(Operation operation) const;
  // A process beside the command whose calls belong to the operation; 0: none.
  [[nodiscard]] pid_t other_side(Operation operation) const;
  // The exit code of success.
  [[nodiscard]] static int success(Operation operation);
  // What is wrong though the operation said that it has succeeded; "" when all is well.
  [[nodiscard]] std::string lie(Operation operation, const Traced& traced);
  // Remembers what the operation brings when nothing fails.
  void learn(Operation operation, const Traced& traced);

  // Whether the operation leaves the container as it was, so that it can be used again.
  [[nodiscard]] bool reusable(Operation operation) const;
  // The container's init is the only living process, if there is any, or `state` knows of it.
  [[nodiscard]] bool settled();
  // `delete --force`; what it could not remove, "" when nothing.
  [[nodiscard]] std::string clear_away();
  // Whether the ID can be used again.
  [[nodiscard]] std::string use_again();
  // Of a container whose init died unseen: `state` and `start` tell.
  [[nodiscard]] std::string hidden_death();

 private:
  [[nodiscard]] Outcome command(const std::vector<std::string>& words) const;
  void create(bool report);
  void start() const;
  [[nodiscard]] Json state() const;
  [[nodiscard]] std::string leftovers() const;
  [[nodiscard]] std::string report() const;
  [[nodiscard]] std::string pid_file() const { return bundle_.dir() + "/run/pid"; }

  std::string runtime_;
  Bundle bundle_;
  std::string id_;
  pid_t init_ = 0;
  std::unique_ptr<Process> creator_;
  std::string known_report_;
  std::string known_exec_report_;
  std::string known_state_;
};

}  // namespace hull::conformance

#pragma once

#include <string>
#include <vector>

#include "libruntime/container.h"

namespace hull {

// The containers below one state root. Holds nothing but the path: any number of threads may use
// one, or several of the same root. Every call throws Error.
class Factory {
 public:
  // `root`: the directory with one directory a container; made with the first.
  explicit Factory(std::string root) : root_(std::move(root)) {}

  // Claims the ID for a container that start() or run() then makes; until then its status is
  // stopped. Throws invalid_id, id_in_use, config_invalid.
  [[nodiscard]] Container create(const std::string& id, configs::Config config) const;
  // One that was started, by whatever program. Throws container_not_exists.
  [[nodiscard]] Container load(const std::string& id) const;
  // The IDs, sorted. A missing root has none.
  [[nodiscard]] std::vector<std::string> list() const;
  // Destroys by force also what is there in part: a container whose state.json is missing or cut
  // off (claimed only, or killed on the way) with the cgroups that it names. Nothing when there is
  // no such container.
  void remove(const std::string& id) const;

  [[nodiscard]] const std::string& root() const { return root_; }

 private:
  std::string root_;
};

}  // namespace hull

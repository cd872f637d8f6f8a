#pragma once

#include <exception>
#include <string>
#include <vector>

#include "libruntime/system/log.h"

namespace hull::cmd {

// Those of `ids` that an extended regular expression (regex(7)) matches somewhere, as crun's
// --regex takes it. Throws Error when it is none.
std::vector<std::string> matching_ids(std::vector<std::string> ids, const std::string& pattern);

// Does `action` for each. One that fails is logged and does not keep the others from it. Returns
// the exit status: 1 when any failed.
template <class Action>
int for_each_id(const std::vector<std::string>& ids, Action action) {
  int status = 0;
  for (const std::string& id : ids) {
    try {
      action(id);
    } catch (const std::exception& error) {
      log::error(id + ": " + error.what());
      status = 1;
    }
  }
  return status;
}

}  // namespace hull::cmd

#include "libruntime/factory.h"

#include "libruntime/configs/validate.h"
#include "libruntime/container_impl.h"
#include "libruntime/system/log.h"

namespace hull {
namespace {

// Nothing when state.json is missing or damaged. One that can't be read is neither: it may name
// what is to be removed.
std::optional<State> whole_state(const state::Directory& directory) {
  try {
    return directory.load();
  } catch (const Error& e) {
    if (e.code() != 0) throw;
    log::debug(std::string("state.json is missing or damaged: ") + e.what());
    return std::nullopt;
  }
}

}  // namespace

Container Factory::create(const std::string& id, configs::Config config) const {
  configs::validate(config);
  state::Directory directory = state::Directory::claim(root_, id);
  State state;
  state.id = id;
  state.config = std::move(config);
  return Container(
      std::make_unique<Container::Impl>(std::move(directory), std::move(state), false));
}

Container Factory::load(const std::string& id) const {
  state::Directory directory = state::Directory::open(root_, id);
  State state = directory.load();
  return Container(std::make_unique<Container::Impl>(std::move(directory), std::move(state), true));
}

std::vector<std::string> Factory::list() const { return state::list_ids(root_); }

void Factory::remove(const std::string& id) const {
  state::check_id(id);
  try {
    state::Directory directory = state::Directory::open(root_, id);
    auto state = whole_state(directory);
    if (!state) {
      // It may be on its way.
      directory.lock();
      state = whole_state(directory);
      // Cgroups are made after state.json is whole, so there are none.
      if (!state) return directory.remove();
      directory.unlock();
    }
    Container(std::make_unique<Container::Impl>(std::move(directory), std::move(*state), true))
        .destroy(true);
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::container_not_exists) throw;
  }
}

}  // namespace hull

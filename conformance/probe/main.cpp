// probe TOPIC[:KEY]...: prints as JSON what is true of the process that it is. It runs as a
// container's process; on the host it tells what a container would inherit.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <map>
#include <string>

#include "conformance/probe/topics.h"

namespace hull::probe {
namespace {

constexpr std::array kTopics = {
    Topic{"user", user},           Topic{"capabilities", capabilities},
    Topic{"rlimits", rlimits},     Topic{"env", environment},
    Topic{"fds", descriptors},     Topic{"process", process},
    Topic{"terminal", terminal},   Topic{"namespaces", namespaces},
    Topic{"uts", host_names},      Topic{"cgroup", cgroup},
    Topic{"scheduler", scheduler}, Topic{"keyring", keyring},
    Topic{"sysctl", sysctl},       Topic{"interfaces", interfaces},
    Topic{"maps", maps},           Topic{"mounts", mounts},
    Topic{"files", files},         Topic{"verdicts", verdicts},
};

Json look_at(const std::string& name, const Keys& keys) {
  for (const Topic& topic : topics())
    if (topic.name == name) try {
        return topic.look(keys);
      } catch (const std::exception& error) {
        return {{"error", error.what()}};
      }
  return {{"error", "no such topic"}};
}

bool write_out(std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno != EINTR) return false;
    if (n > 0) text.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

}  // namespace

std::span<const Topic> topics() { return kTopics; }

std::string errno_name(int code) {
  const char* name = strerrorname_np(code);
  return name != nullptr ? name : std::to_string(code);
}

}  // namespace hull::probe

int main(int argc, char** argv) {
  using namespace hull::probe;
  std::map<std::string, Keys> wanted;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const size_t colon = word.find(':');
    Keys& keys = wanted[word.substr(0, colon)];
    if (colon != std::string::npos) keys.push_back(word.substr(colon + 1));
  }
  Json seen = Json::object();
  for (const auto& [name, keys] : wanted) seen[name] = look_at(name, keys);
  // One line: on a terminal that is its end.
  return write_out(seen.dump(-1, ' ', true, Json::error_handler_t::replace) + "\n") ? 0 : 1;
}

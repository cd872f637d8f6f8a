#include "conformance/suite/runtime.h"

#include <unistd.h>

#include <array>

#include "conformance/container/command.h"

namespace hull::conformance {

Runtime runtime_of(const std::string& word) {
  const size_t equals = word.find('=');
  Runtime runtime;
  runtime.path = word.substr(equals == std::string::npos ? 0 : equals + 1);
  runtime.name = equals == std::string::npos ? runtime.path.substr(runtime.path.rfind('/') + 1)
                                             : word.substr(0, equals);
  const std::string text = run_command({runtime.path, "--version"}).out;
  runtime.version = text.substr(0, text.find('\n'));
  const size_t version = runtime.version.find(" version ");  // "runc version 1.1.5"
  if (version != std::string::npos) runtime.version.erase(version, 8);
  // A relative path would be looked for in the bundle.
  if (runtime.path.find('/') != std::string::npos && runtime.path[0] != '/') {
    std::array<char, 4096> cwd{};
    runtime.path = std::string(getcwd(cwd.data(), cwd.size())) + "/" + runtime.path;
  }
  return runtime;
}

std::string beside_this_program(const std::string& name) {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size());
  const std::string self(path.data(), size < 0 ? 0 : static_cast<size_t>(size));
  return self.substr(0, self.rfind('/') + 1) + name;
}

}  // namespace hull::conformance

#include "libruntime/configs/sysctl.h"

#include <algorithm>
#include <array>

#include "libruntime/system/text.h"

namespace hull::configs {
namespace {

// namespaces(7), ipc_namespaces(7): what the kernel keeps per IPC namespace.
constexpr std::array<std::string_view, 8> kIpcParameters{
    "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
    "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced"};

}  // namespace

std::optional<std::string> sysctl_path(std::string_view key) {
  std::string path(key);
  // The first separator decides which one it is; the other then stands for itself.
  const size_t first = key.find_first_of("./");
  if (first != std::string_view::npos && key[first] == '.') {
    for (char& c : path) c = c == '.' ? '/' : c == '/' ? '.' : c;
  }
  for (const std::string_view part : split(path, '/'))
    if (part.empty() || part == "." || part == "..") return std::nullopt;
  return path;
}

std::optional<NamespaceType> sysctl_namespace(std::string_view path) {
  if (std::find(kIpcParameters.begin(), kIpcParameters.end(), path) != kIpcParameters.end())
    return NamespaceType::ipc;
  if (path.starts_with("fs/mqueue/")) return NamespaceType::ipc;
  if (path.starts_with("net/")) return NamespaceType::network;
  if (path.starts_with("user/")) return NamespaceType::user;
  if (path == "kernel/domainname") return NamespaceType::uts;
  return std::nullopt;
}

}  // namespace hull::configs

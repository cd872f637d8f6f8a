#include "conformance/container/criu.h"

#include "libruntime/system/catch.h"

namespace hull::conformance {
namespace {

std::vector<std::string> joined(std::initializer_list<std::vector<std::string>> parts) {
  std::vector<std::string> out;
  for (const auto& part : parts) out.insert(out.end(), part.begin(), part.end());
  return out;
}

}  // namespace

const std::vector<std::string>& network_flags() {
  static const std::vector<std::string> flags =
      run_command({"/bin/sh", "-c", "unshare --net iptables -n -L"}).exit_code == 0
          ? std::vector<std::string>()
          : std::vector<std::string>{"--network-lock", "skip"};
  return flags;
}

Outcome Checkpoint::try_save(const std::vector<std::string>& flags) const {
  return hull_.command(
      joined({{"checkpoint", "--image-path", images_}, network_flags(), flags, {hull_.id()}}),
      {.timeout = std::chrono::seconds(60)});
}

void Checkpoint::save(const std::vector<std::string>& flags) const {
  const Outcome saved = try_save(flags);
  INFO(saved.err);
  REQUIRE(saved.exit_code == 0);
}

std::vector<std::string> Checkpoint::restore_command(const std::vector<std::string>& flags) const {
  return joined({{"restore", "--bundle", hull_.bundle().dir(), "--image-path", images_},
                 network_flags(),
                 flags,
                 {hull_.id()}});
}

Outcome Checkpoint::try_restore(const std::vector<std::string>& flags) const {
  return hull_.command(restore_command(joined({{"--detach"}, flags})),
                       {.timeout = std::chrono::seconds(60)});
}

void Checkpoint::restore(const std::vector<std::string>& flags) const {
  const Outcome restored = try_restore(flags);
  INFO(restored.err);
  REQUIRE(restored.exit_code == 0);
}

}  // namespace hull::conformance

#pragma once

#include <array>

#include "libruntime/configs/config.h"

// Numbers and bits of runc's state.json that stand for names here.
namespace hull::configs {

// libcontainer/configs: Action. 8 is SCMP_ACT_KILL_THREAD, another name of 1.
inline constexpr std::array kSeccompActionNumbers{
    std::pair{1, SeccompAction::kill_thread},  std::pair{2, SeccompAction::errno_},
    std::pair{3, SeccompAction::trap},         std::pair{4, SeccompAction::allow},
    std::pair{5, SeccompAction::trace},        std::pair{6, SeccompAction::log},
    std::pair{7, SeccompAction::notify},       std::pair{8, SeccompAction::kill_thread},
    std::pair{9, SeccompAction::kill_process},
};

// libcontainer/configs: Operator.
inline constexpr std::array kSeccompOperatorNumbers{
    std::pair{1, SeccompOperator::eq},        std::pair{2, SeccompOperator::ne},
    std::pair{3, SeccompOperator::gt},        std::pair{4, SeccompOperator::ge},
    std::pair{5, SeccompOperator::lt},        std::pair{6, SeccompOperator::le},
    std::pair{7, SeccompOperator::masked_eq},
};

// "extensions" of a mount: runc's EXT_COPYUP, and our own far from where runc goes on counting.
struct MountExtension {
  int bit;
  bool Mount::*member;
};
inline constexpr MountExtension kMountExtensions[] = {
    {1, &Mount::copy_up},
    {1 << 16, &Mount::source_nofollow},
    {1 << 17, &Mount::destination_nofollow},
    {1 << 18, &Mount::copy_symlink},
};

// What runc writes for the absent flags of a seccomp profile.
inline constexpr char kDefaultSeccompFlag[] = "SECCOMP_FILTER_FLAG_SPEC_ALLOW";

}  // namespace hull::configs

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libruntime/configs/config.h"

namespace hull::configs {

// The file of a kernel parameter below /proc/sys: "net/ipv4/conf/eth0.100/forwarding". Both
// spellings of sysctl(8) are read: with dots ("net.ipv4.conf.eth0/100.forwarding") and with
// slashes. Nothing when the key is no such name (empty parts, "." or ".." as a part).
std::optional<std::string> sysctl_path(std::string_view key);

// The namespace that a parameter belongs to, which the container must then have (new or joined).
// Nothing when the parameter belongs to the whole host and may not be set.
std::optional<NamespaceType> sysctl_namespace(std::string_view path);

}  // namespace hull::configs

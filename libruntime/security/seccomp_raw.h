#pragma once

#include <linux/filter.h>

#include <string_view>
#include <vector>

namespace hull::security {

// A program for seccomp(2) that comes as base64 (RFC 4648) of struct sock_filter. The kernel checks
// what it does; one that notifies is refused: hull could not know whether the listener must answer
// for the very call that hands it over. Throws Error.
std::vector<sock_filter> raw_program(std::string_view base64);

}  // namespace hull::security

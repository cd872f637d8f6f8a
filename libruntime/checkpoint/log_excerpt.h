#pragma once

#include <string>
#include <string_view>

#include "libruntime/checkpoint/rpc.h"
#include "libruntime/system/error.h"

namespace hull::checkpoint {

// CRIU's own words for what went wrong: the last lines of its log that tell of an error, joined by
// "; ". Empty when there is none.
std::string error_lines(std::string_view log);

// "criu failed: type DUMP errno 16: (00.1) Error (...): ...; the log is /w/dump.log". The log may
// be missing.
Error failure(RequestType type, const Response& response, const std::string& log_path);

}  // namespace hull::checkpoint

#pragma once

#include <string>
#include <vector>

#include "libruntime/system/error.h"

namespace hull::init {

// The file that execve(2) will be given for args[0]: itself when it has a slash, else the first
// executable of PATH in `env` (execvp(3)). Throws Error: `exec: "X": executable file not found in
// $PATH`, `exec: "X": permission denied` and so on, which Docker and Podman match.
std::string find_program(const std::string& name, const std::vector<std::string>& env);

// Why execve(2) of `path` failed with `code`: a missing interpreter or loader, a CRLF behind "#!",
// another machine's binary, a noexec mount, ... The file is looked at again.
Error explain_exec_failure(const std::string& name, const std::string& path, int code);

}  // namespace hull::init

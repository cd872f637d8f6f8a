#include "cmd/hull/command.h"

#include <unistd.h>

#include "libruntime/system/files.h"

namespace hull::cmd {

void print(std::string_view text) { write_all(STDOUT_FILENO, text, "stdout"); }

}  // namespace hull::cmd

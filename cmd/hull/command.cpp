#include "cmd/hull/command.h"

#include <unistd.h>

#include "libruntime/system/files.h"

namespace hull::cmd {
namespace {

// In the order of the help.
constexpr const Command* kCommands[] = {
    &checkpoint_command, &create_command,   &delete_command,   &events_command,  &exec_command,
    &kill_command,       &list_command,     &pause_command,    &ps_command,      &restore_command,
    &resume_command,     &run_command,      &spec_command,     &start_command,   &state_command,
    &update_command,     &features_command, &validate_command, &convert_command, &nsinit_command,
};

}  // namespace

std::span<const Command* const> commands() { return kCommands; }

void print(std::string_view text) { write_all(STDOUT_FILENO, text, "stdout"); }

}  // namespace hull::cmd

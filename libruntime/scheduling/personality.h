#pragma once

namespace hull::scheduling {

// The execution domain (PER_* of personality(2)): what uname(2) says of the machine, for the caller
// and its children. Throws Error.
void set_personality(int domain);

}  // namespace hull::scheduling

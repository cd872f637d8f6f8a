#pragma once

namespace hull::rootfs {

// Copies what is in directory `from` into the empty directory `to` ("tmpcopyup"): files,
// directories, symbolic links (never followed), nodes, with modes, owners, times and extended
// attributes. `from` may be O_PATH; what is mounted on it meanwhile is not seen. Throws Error.
void copy_up(int from, int to);

}  // namespace hull::rootfs

#pragma once

namespace hull::network {

// Brings "lo" up in the network namespace of the calling thread; the kernel gives it its addresses.
// Needs CAP_NET_ADMIN there. Throws Error.
void bring_loopback_up();

}  // namespace hull::network

#pragma once

namespace hull::network {

// Brings "lo" up in the network namespace of the calling thread; the kernel gives it its addresses.
// Needs CAP_NET_ADMIN there. Throws Error.
void bring_loopback_up();
// The same in another one (an open namespace file); the thread comes back.
void bring_loopback_up_in(int net_namespace);

}  // namespace hull::network

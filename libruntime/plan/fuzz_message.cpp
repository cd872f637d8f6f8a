#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "libruntime/plan/channel.h"
#include "libruntime/plan/codec.h"
#include "libruntime/plan/fields.h"
#include "libruntime/system/error.h"

namespace {

using namespace hull::plan;

void as_packet(std::string_view bytes) {
  auto [launcher, init] = Channel::make_pair();
  if (send(init.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) return;
  init.close();
  try {
    while (const auto message = launcher.receive()) (void)number_of(*message);
  } catch (const hull::Error&) {
  }
}

void as_error(std::string_view bytes) {
  try {
    if (std::string_view(decode_error(bytes).what()).data() == nullptr) std::abort();
  } catch (const hull::Error&) {
  }
}

void as_plan(std::string_view bytes) {
  try {
    const std::string again = encode(decode<Plan>(bytes));
    // A bool may come as any byte and a map out of order: the second time they are settled.
    if (encode(decode<Plan>(again)) != again) std::abort();
  } catch (const hull::Error&) {
  }
}

}  // namespace

// libFuzzer: any bytes as a packet from hull-init, as its error, and as a Plan.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  as_packet(bytes);
  as_error(bytes);
  as_plan(bytes);
  return 0;
}

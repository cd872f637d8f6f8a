// Any bytes from CRIU's socket are a response or an Error, nothing else.
#include "libruntime/checkpoint/rpc.h"
#include "libruntime/system/error.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    (void)hull::checkpoint::parse_response({reinterpret_cast<const char*>(data), size});
  } catch (const hull::Error&) {
  }
  return 0;
}

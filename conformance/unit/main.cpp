// The main() of hull-unit-tests. A container's init is the calling program itself, so a test that
// starts one needs what any user of libruntime needs: init_if_asked first.
#if __has_include(<catch2/catch_session.hpp>)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include "libruntime/container.h"

int main(int argc, char** argv) {
  hull::init_if_asked(argc, argv);
  return Catch::Session().run(argc, argv);
}

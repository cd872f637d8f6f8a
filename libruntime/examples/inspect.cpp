// What can be asked of a container that any OCI runtime of runc's kind runs: inspect ROOT ID
// The last word may be pause, resume, or the number of a signal to send.
#include <libruntime/factory.h>

#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argc, char** argv) {
  hull::init_if_asked(argc, argv);
  if (argc < 3) return 2;
  try {
    hull::Container container = hull::Factory(argv[1]).load(argv[2]);
    const std::string_view verb = argc > 3 ? argv[3] : "";
    if (verb == "pause") {
      container.pause();
    } else if (verb == "resume") {
      container.resume();
    } else if (!verb.empty()) {
      container.signal(std::atoi(argv[3]));
    }
    std::printf("status: %s\n", std::string(hull::status_name(container.status())).c_str());
    for (const pid_t pid : container.processes()) std::printf("process: %d\n", pid);
    std::printf("stats: %s\n", hull::stats_json(container.stats()).c_str());
    std::printf("%s\n", container.oci_state().c_str());
    return 0;
  } catch (const hull::Error& e) {
    std::fprintf(stderr, "%s", e.detail().c_str());
    return 1;
  }
}

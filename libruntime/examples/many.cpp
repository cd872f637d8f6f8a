// Containers from several threads at once: many ROOTFS STATE_ROOT [THREADS [CONTAINERS]]
#include <libruntime/factory.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  hull::init_if_asked(argc, argv);
  if (argc < 3) return 2;
  const int threads = argc > 3 ? std::atoi(argv[3]) : 8;
  const int containers = argc > 4 ? std::atoi(argv[4]) : 400;
  const hull::Factory factory(argv[2]);
  std::atomic<int> next{0};
  std::atomic<int> failures{0};

  const auto work = [&] {
    for (int i = next++; i < containers; i = next++) {
      const std::string id = "many-" + std::to_string(i);
      try {
        hull::configs::Config config;
        config.rootfs = argv[1];
        config.cgroup.path = "/hull-" + id;
        config.namespaces = {{hull::configs::NamespaceType::mount, ""},
                             {hull::configs::NamespaceType::pid, ""}};
        hull::Container container = factory.create(id, config);
        hull::Process process;
        process.args = {"/bin/sh", "-c", "exit 7"};
        container.start(process);
        const std::string state = container.oci_state();
        container.exec();
        if (process.wait().status() != 7 || state.find("\"created\"") == std::string::npos)
          ++failures;
        container.destroy();
      } catch (const hull::Error& e) {
        std::fprintf(stderr, "%s: %s\n", id.c_str(), e.what());
        ++failures;
      }
    }
  };
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(work);
  for (std::thread& one : all) one.join();
  std::printf("%d containers, %d failures, %zu left\n", containers, failures.load(),
              factory.list().size());
  return failures == 0 && factory.list().empty() ? 0 : 1;
}

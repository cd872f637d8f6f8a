// A program in a container, from the first line to the last: hello ROOTFS COMMAND [ARGUMENT...]
#include <libruntime/configs/default_devices.h>
#include <libruntime/factory.h>
#include <sys/mount.h>

#include <cstdio>

namespace {

hull::configs::Config config_of(const char* rootfs) {
  using hull::configs::NamespaceType;
  constexpr uint64_t kFlags = MS_NOEXEC | MS_NOSUID | MS_NODEV;
  const auto mount = [](const char* type, const char* destination, uint64_t flags,
                        const char* data = "") {
    hull::configs::Mount out;
    out.source = out.type = type;
    out.destination = destination;
    out.flags = flags;
    out.data = data;
    return out;
  };
  hull::configs::Config out;
  out.rootfs = rootfs;
  out.hostname = "testing";
  out.devices = hull::configs::default_devices();
  out.cgroup.resources.devices = hull::configs::default_device_rules();
  for (const auto type : {NamespaceType::mount, NamespaceType::uts, NamespaceType::ipc,
                          NamespaceType::pid, NamespaceType::network})
    out.namespaces.push_back({type, ""});
  out.mounts = {mount("proc", "/proc", kFlags),
                mount("tmpfs", "/dev", MS_NOSUID | MS_STRICTATIME, "mode=755"),
                mount("sysfs", "/sys", kFlags | MS_RDONLY)};
  out.mask_paths = {"/proc/kcore", "/sys/firmware"};
  out.readonly_paths = {"/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus"};
  out.cgroup.path = "/hull-hello";
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  hull::init_if_asked(argc, argv);  // a container's init is this program, too
  if (argc < 3) return 2;
  try {
    hull::Container container =
        hull::Factory("/run/hull-examples").create("hello", config_of(argv[1]));
    hull::Process process;
    process.args.assign(argv + 2, argv + argc);
    process.env = {"PATH=/bin"};
    process.user = "root";
    container.run(process);
    const hull::Exit end = process.wait();
    container.destroy();
    return end.status();
  } catch (const hull::Error& e) {
    std::fprintf(stderr, "hello: %s\n", e.what());
    return 1;
  }
}

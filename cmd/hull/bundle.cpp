#include "cmd/hull/bundle.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::cmd {
void enter_directory(const std::string& path) {
  if (chdir(path.c_str()) != 0) throw Error("chdir " + path, "", errno);
  unsetenv("PWD");  // it names another directory now
}

specconv::Spec read_spec(const std::string& path) {
  const auto text = read_file_if_exists(path);
  if (!text) throw Error("JSON specification file " + path + " not found");
  return specconv::parse(*text);
}

specconv::Options convert_options(const Context& context, const std::string& id) {
  specconv::Options options;
  options.id = id;
  options.bundle = absolute_path(".");
  options.systemd_cgroup = context.globals.systemd_cgroup;
  options.no_cgroups = context.globals.no_cgroups;
  options.no_pivot = context.options.flag("no-pivot");
  options.no_new_keyring = context.options.flag("no-new-keyring");
  options.rootless_euid = geteuid() != 0;
  options.rootless_cgroups = context.globals.rootless_cgroups();
  return options;
}

Bundle load_bundle(const Context& context) {
  const FdCloseBatch batch;
  Bundle out;
  out.launch = launch_options(context.options);
  std::string config_file = context.options.text("config");
  config_file = config_file.empty() ? kConfigFile : absolute_path(config_file);
  if (const std::string bundle = context.options.text("bundle"); !bundle.empty())
    enter_directory(bundle);

  const specconv::Spec spec = read_spec(config_file);
  specconv::validate(spec);
  // crun's name for --pidfd-socket.
  const auto receiver = spec.annotations.find("run.oci.pidfd_receiver");
  if (out.launch.pidfd_socket.empty() && receiver != spec.annotations.end())
    out.launch.pidfd_socket = absolute_path(receiver->second);
  out.config = specconv::to_config(spec, convert_options(context, context.id()));
  if (spec.process) out.process.emplace(specconv::to_process(*spec.process));
  return out;
}

namespace {

// A descriptor that is not there would else be one of our own, handed to the container. Ours are
// all O_CLOEXEC, an inherited one can't be.
void check_inherited(unsigned count) {
  for (unsigned i = 0; i < count; ++i) {
    const int flags = fcntl(3 + static_cast<int>(i), F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC) != 0)
      throw Error("unable to stat preserved-fd " + std::to_string(i + 1) + " (of " +
                  std::to_string(count) + "): no descriptor " + std::to_string(3 + i) +
                  " was passed on");
  }
}

}  // namespace

LaunchOptions launch_options(const Options& options) {
  const auto path = [&](std::string_view name) {
    const std::string text = options.text(name);
    return text.empty() ? text : absolute_path(text);
  };
  LaunchOptions out;
  out.console_socket = path("console-socket");
  out.pid_file = path("pid-file");
  out.pidfd_socket = path("pidfd-socket");
  const int64_t fds = options.number("preserve-fds");
  if (fds < 0 || fds > INT_MAX - 3)
    throw Error("--preserve-fds must be a number of descriptors, not " + std::to_string(fds));
  out.preserve_fds = static_cast<unsigned>(fds);
  check_inherited(out.preserve_fds);
  return out;
}

void check_terminal(bool terminal, bool detach, const LaunchOptions& options) {
  const bool socket = !options.console_socket.empty();
  if (detach && terminal && !socket)
    throw Error("cannot allocate tty if hull will detach without setting console socket");
  if (socket && (!detach || !terminal))
    throw Error("cannot use console socket if hull will not detach or allocate tty");
}

}  // namespace hull::cmd

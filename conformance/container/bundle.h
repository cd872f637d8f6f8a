#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace hull::conformance {

using Json = nlohmann::json;

// Whether all tests are to use the systemd cgroup driver: HULL_CGROUPS=systemd in the environment.
bool by_systemd();

// A bundle of its own for one test: a root file system with a static busybox, and a config.json to
// be changed before use. Removed at the end.
//
//   Bundle bundle;
//   bundle.config["hostname"] = "test";
//   bundle.script("hostname");
class Bundle {
 public:
  Bundle();
  ~Bundle();
  Bundle(const Bundle&) = delete;
  Bundle& operator=(const Bundle&) = delete;

  Json config;  // what `hull spec` gives, without a terminal, with a writable root

  void args(const std::vector<std::string>& argv) { config["process"]["args"] = argv; }
  // The program is a shell script.
  void script(const std::string& text) { args({"/bin/sh", "-c", text}); }
  void env(const std::string& variable) { config["process"]["env"].push_back(variable); }
  // Appends a mount.
  void mount(const std::string& destination, const std::string& type, const std::string& source,
             const std::vector<std::string>& options);
  void bind(const std::string& source, const std::string& destination,
            std::vector<std::string> options = {"bind", "rw"}) {
    mount(destination, "bind", source, options);
  }
  // The mount with this destination in `config`.
  Json& mount_at(const std::string& destination);
  void remove_mount(const std::string& destination);
  // The namespace with this type in `config`; appended when it is not there.
  Json& name_space(const std::string& type);
  void remove_name_space(const std::string& type);
  // A new user namespace: container ids 0.. are host ids `host_id`..; the root file system is given
  // to them.
  void user_namespace(unsigned host_id = 100'000, unsigned size = 65'536);
  // Capabilities of all sets but "ambient" and "inheritable".
  void capabilities(const std::vector<std::string>& names);
  // A hook that runs this shell script on the host, or in the container for createContainer and
  // startContainer (with the container's busybox).
  void hook(const std::string& kind, const std::string& script);

  // Writes config.json. Hull does it before each create and run.
  void save() const;

  [[nodiscard]] const std::string& dir() const { return dir_; }
  [[nodiscard]] std::string rootfs(std::string_view path = "") const;
  // Whole content of a file of the bundle's directory, "" when there is none.
  [[nodiscard]] std::string read(const std::string& name) const;
  // Occurs in the names of all that the test makes: directories, cgroups, processes' environments.
  [[nodiscard]] const std::string& mark() const { return mark_; }

 private:
  std::string mark_;
  std::string dir_;
};

}  // namespace hull::conformance

#include "libruntime/resctrl/group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/mountinfo.h"
#include "libruntime/system/text.h"

namespace hull::resctrl {
namespace {

constexpr char kRootClass[] = "/";

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

std::string root_of(const std::string& path, const configs::IntelRdt& config) {
  return config.clos_id == kRootClass ? path : path.substr(0, path.rfind('/'));
}

std::string monitoring_path(const std::string& path, const std::string& id) {
  return path + "/mon_groups/" + id;
}

// The kernel's own words about the last command that failed.
void explain(Error& error, const std::string& root) {
  error.set_stage("setting up Intel RDT");
  error.set_field("/linux/intelRdt");
  try {
    const auto status = read_file_if_exists(root + "/info/last_cmd_status");
    if (!status || status->empty() || *status == "ok\n") return;
    error.set_hint("last_cmd_status: " + status->substr(0, status->find('\n')));
  } catch (const Error& e) {
    log::debug(e.what());  // the error that led here is the one to report
  }
}

void make_directory(const std::string& path) {
  if (mkdir(path.c_str(), 0755) != 0) throw Error("cannot make " + quote(path), "mkdir", errno);
}

void remove_directory(const std::string& path) {
  if (rmdir(path.c_str()) != 0 && errno != ENOENT)
    throw Error("cannot remove " + quote(path), "rmdir", errno);
}

// Each write(2) is a command of its own to the kernel.
void write_commands(const std::string& file, const std::vector<std::string>& commands) {
  const Fd fd = open_or_throw(AT_FDCWD, file, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  for (const std::string& command : commands)
    if (write(fd.get(), command.data(), command.size()) != static_cast<ssize_t>(command.size()))
      throw Error("cannot write " + quote(command) + " to " + quote(file), "write", errno);
}

void add_task(const std::string& directory, pid_t pid) {
  write_commands(directory + "/tasks", {std::to_string(pid)});
}

// The two older fields as one text: memBwSchema replaces the MB line of l3CacheSchema.
std::vector<std::string> older_lines(const configs::IntelRdt& config) {
  std::vector<std::string> lines;
  for (const std::string_view line : split(config.l3_cache_schema, '\n'))
    if (!line.empty() && (config.mem_bw_schema.empty() || !trim(line).starts_with("MB:")))
      lines.emplace_back(line);
  if (!config.mem_bw_schema.empty()) lines.push_back(config.mem_bw_schema);
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::vector<std::string> all_lines(const configs::IntelRdt& config) {
  std::vector<std::string> lines = older_lines(config);
  lines.insert(lines.end(), config.schemata.begin(), config.schemata.end());
  return lines;
}

void check_features(const std::string& root, const configs::IntelRdt& config) {
  // With code and data prioritization L3 is two.
  if (!config.l3_cache_schema.empty() && !exists(root + "/info/L3") &&
      !exists(root + "/info/L3CODE"))
    throw Error("intelRdt.l3CacheSchema is specified in config, but Intel RDT/CAT is not enabled")
        .field("/linux/intelRdt/l3CacheSchema");
  if (!config.mem_bw_schema.empty() && !exists(root + "/info/MB"))
    throw Error("intelRdt.memBwSchema is specified in config, but Intel RDT/MBA is not enabled")
        .field("/linux/intelRdt/memBwSchema");
}

// Directories that are removed again unless all went well.
class Made {
 public:
  ~Made() {
    for (auto path = paths_.rbegin(); path != paths_.rend(); ++path)
      if (rmdir(path->c_str()) != 0) log::warning("cannot remove " + quote(*path));
  }
  void make(const std::string& path) {
    make_directory(path);
    paths_.push_back(path);
  }
  void keep() { paths_.clear(); }

 private:
  std::vector<std::string> paths_;
};

void enter_class(Made& made, const std::string& path, const configs::IntelRdt& config,
                 const std::string& id, pid_t pid) {
  const std::vector<std::string> wanted = all_lines(config);
  const bool own = config.clos_id.empty();
  const bool there = exists(path);
  if (!own && !there && wanted.empty())
    throw Error("there is no class of service " + quote(config.clos_id) +
                ", and no schemata to make it with")
        .field("/linux/intelRdt/closID");
  if (!there) made.make(path);
  if (!wanted.empty()) {
    if (own || !there) {
      write_schemata(path, config);
    } else if (!schemata_match(read_file(path + "/schemata"), wanted)) {
      throw Error("class of service " + quote(config.clos_id) + " exists with other schemata")
          .field("/linux/intelRdt/closID");
    }
  }
  add_task(path, pid);
  if (!config.enable_monitoring) return;
  made.make(monitoring_path(path, id));
  add_task(monitoring_path(path, id), pid);
}

}  // namespace

std::string mount_point() {
  for (const MountInfo& mount : read_mountinfo())
    if (mount.fs_type == "resctrl") return mount.mount_point;
  throw Error("the resctrl file system is not mounted")
      .field("/linux/intelRdt")
      .hint("mount -t resctrl resctrl /sys/fs/resctrl, on a machine that has Intel RDT");
}

std::string group_path(const std::string& root, const configs::IntelRdt& config,
                       const std::string& id) {
  if (config.clos_id == kRootClass) return root;
  return root + "/" + (config.clos_id.empty() ? id : config.clos_id);
}

void enter(const std::string& path, const configs::IntelRdt& config, const std::string& id,
           pid_t pid) {
  const std::string root = root_of(path, config);
  try {
    check_features(root, config);
    Made made;
    enter_class(made, path, config, id, pid);
    made.keep();
  } catch (Error& e) {
    explain(e, root);
    throw;
  }
}

void join(const std::string& path, const configs::IntelRdt& config, const std::string& id,
          pid_t pid) {
  if (!exists(path)) return;
  try {
    add_task(path, pid);
    // After a change of the class a process is in no monitoring group of it.
    if (config.enable_monitoring) add_task(monitoring_path(path, id), pid);
  } catch (Error& e) {
    explain(e, root_of(path, config));
    throw;
  }
}

void write_schemata(const std::string& path, const configs::IntelRdt& config) {
  check_features(root_of(path, config), config);
  // `schemata` comes last, in a write of its own: one write may not name a cache twice.
  std::vector<std::string> commands;
  for (const std::vector<std::string>& lines : {older_lines(config), config.schemata})
    if (!lines.empty()) commands.push_back(joined(lines));
  if (!commands.empty()) write_commands(path + "/schemata", commands);
}

void remove(const std::string& path, const configs::IntelRdt& config, const std::string& id) {
  // A class with a name may have other containers in it; its monitoring group is this one's.
  if (config.clos_id.empty()) {
    remove_directory(path);
  } else if (config.enable_monitoring) {
    remove_directory(monitoring_path(path, id));
  }
}

}  // namespace hull::resctrl

#include <unistd.h>

#include "cmd/hull/byte_size.h"
#include "cmd/hull/command.h"
#include "libruntime/factory.h"
#include "libruntime/system/error.h"
#include "libruntime/system/files.h"
#include "libruntime/system/log.h"
#include "libruntime/system/text.h"
#include "specconv/convert.h"
#include "specconv/parse.h"
#include "specconv/validate.h"

namespace hull::cmd {
namespace {

constexpr Option kOptions[] = {
    {"resources", "r", OptionKind::text,
     "path to a JSON file with the limits to update, or '-' to read it from the standard input"},
    {"blkio-weight", "", OptionKind::number, "per cgroup weight, from 10 to 1000", "0"},
    {"cpu-period", "", OptionKind::text,
     "CPU CFS period in microseconds, 0 for the system's default"},
    {"cpu-quota", "", OptionKind::text, "CPU CFS limit in microseconds per period"},
    {"cpu-burst", "", OptionKind::text,
     "accumulated CPU CFS time allowed for a burst, microseconds"},
    {"cpu-share", "", OptionKind::text, "CPU shares (relative weight vs. other containers)"},
    {"cpu-rt-period", "", OptionKind::text, "CPU realtime period in microseconds"},
    {"cpu-rt-runtime", "", OptionKind::text, "CPU realtime limit in microseconds per period"},
    {"cpuset-cpus", "", OptionKind::text, "CPU(s) to use"},
    {"cpuset-mems", "", OptionKind::text, "memory node(s) to use"},
    {"kernel-memory", "", OptionKind::text, "obsolete", "", true},
    {"kernel-memory-tcp", "", OptionKind::text, "obsolete", "", true},
    {"memory", "", OptionKind::text, "memory limit in bytes"},
    {"cpu-idle", "", OptionKind::text, "set cgroup SCHED_IDLE or not: 1 or 0"},
    {"memory-reservation", "", OptionKind::text, "memory reservation or soft limit in bytes"},
    {"memory-swap", "", OptionKind::text, "memory and swap together; '-1' for unlimited swap"},
    {"pids-limit", "", OptionKind::number, "maximum number of pids allowed in the container", "0"},
    {"l3-cache-schema", "", OptionKind::text, "the string of Intel RDT/CAT L3 cache schema"},
    {"mem-bw-schema", "", OptionKind::text, "the string of Intel RDT/MBA memory bandwidth schema"},
};

constexpr size_t kMaxResources = size_t{1} << 20;

specconv::Resources read_resources(const std::string& file) {
  if (file == "-")
    return specconv::parse_resources(read_all(STDIN_FILENO, "standard input", kMaxResources));
  return specconv::parse_resources(read_file(file, kMaxResources));
}

template <class T>
void take_number(const Options& options, std::string_view name, std::optional<T>& out) {
  if (!options.given(name)) return;
  const auto value = parse_number<T>(options.text(name));
  if (!value)
    throw Error("invalid value for --" + std::string(name) + ": " + quote(options.text(name)));
  out = *value;
}

void take_bytes(const Options& options, std::string_view name, std::optional<int64_t>& out) {
  if (!options.given(name)) return;
  const auto value = parse_byte_size(options.text(name));
  if (!value)
    throw Error("invalid value for --" + std::string(name) + ": " + quote(options.text(name)));
  out = *value;
}

specconv::Resources resources_of_flags(const Options& options) {
  specconv::Resources out;
  auto& memory = out.memory.emplace();
  take_bytes(options, "memory", memory.limit);
  take_bytes(options, "memory-reservation", memory.reservation);
  take_bytes(options, "memory-swap", memory.swap);
  auto& cpu = out.cpu.emplace();
  take_number(options, "cpu-share", cpu.shares);
  take_number(options, "cpu-quota", cpu.quota);
  take_number(options, "cpu-period", cpu.period);
  take_number(options, "cpu-burst", cpu.burst);
  take_number(options, "cpu-rt-runtime", cpu.realtime_runtime);
  take_number(options, "cpu-rt-period", cpu.realtime_period);
  take_number(options, "cpu-idle", cpu.idle);
  cpu.cpus = options.text("cpuset-cpus");
  cpu.mems = options.text("cpuset-mems");
  if (options.given("pids-limit")) out.pids_limit = options.number("pids-limit");
  if (options.given("blkio-weight"))
    take_number(options, "blkio-weight", out.block_io.emplace().weight);
  for (const char* name : {"kernel-memory", "kernel-memory-tcp"})
    if (options.given(name))
      log::warning("--" + std::string(name) + " has no effect: the kernel has no such limit");
  return out;
}

template <class T>
void forget_zero(std::optional<T>& value) {
  if (value == T{0}) value.reset();
}

// Hosts send 0 for what is to stay as it is.
void forget_zeros(specconv::Resources& resources) {
  if (resources.memory) {
    forget_zero(resources.memory->limit);
    forget_zero(resources.memory->reservation);
    forget_zero(resources.memory->swap);
  }
  if (resources.cpu) {
    forget_zero(resources.cpu->shares);
    forget_zero(resources.cpu->quota);
    forget_zero(resources.cpu->period);
    forget_zero(resources.cpu->realtime_runtime);
    forget_zero(resources.cpu->realtime_period);
  }
  if (resources.block_io) forget_zero(resources.block_io->weight);
  forget_zero(resources.pids_limit);
}

int update(const Context& context) {
  const std::string file = context.options.text("resources");
  specconv::Resources wanted =
      file.empty() ? resources_of_flags(context.options) : read_resources(file);
  forget_zeros(wanted);
  specconv::validate(wanted);
  Container container = Factory(context.globals.root).load(context.id());
  container.set(specconv::to_limits(wanted));
  const std::string l3_cache = context.options.text("l3-cache-schema");
  const std::string bandwidth = context.options.text("mem-bw-schema");
  if (!l3_cache.empty() || !bandwidth.empty()) container.set_cache_schemata(l3_cache, bandwidth);
  return 0;
}

}  // namespace

extern constexpr Command update_command{
    "update",
    "update container resource constraints",
    "<container-id>",
    "Changes the limits of a container; what is not named stays. With --resources the limits come "
    "as the\n"
    "\"linux.resources\" object of config.json, and the other options have no effect.",
    kOptions,
    1,
    1,
    Positionals::mixed,
    update};

}  // namespace hull::cmd

#include "specconv/example.h"

#include <initializer_list>
#include <string_view>

#include "libruntime/version.h"

namespace hull::specconv {
namespace {

// The parts that both variants share, in order; what lies between them is made in example_config().
constexpr std::string_view kBegin = R"({
	"ociVersion": ")";
constexpr std::string_view kProcess = R"(",
	"process": {
		"terminal": true,
		"user": {
			"uid": 0,
			"gid": 0
		},
		"args": [
			"sh"
		],
		"env": [
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"TERM=xterm"
		],
		"cwd": "/",
		"capabilities": {
			"bounding": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"effective": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			],
			"permitted": [
				"CAP_AUDIT_WRITE",
				"CAP_KILL",
				"CAP_NET_BIND_SERVICE"
			]
		},
		"rlimits": [
			{
				"type": "RLIMIT_NOFILE",
				"hard": 1024,
				"soft": 1024
			}
		],
		"noNewPrivileges": true
	},
	"root": {
		"path": "rootfs",
		"readonly": true
	},
	"hostname": "hull",
	"mounts": [
		{
			"destination": "/proc",
			"type": "proc",
			"source": "proc"
		},
		{
			"destination": "/dev",
			"type": "tmpfs",
			"source": "tmpfs",
			"options": [
				"nosuid",
				"strictatime",
				"mode=755",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/pts",
			"type": "devpts",
			"source": "devpts",
			"options": [
				"nosuid",
				"noexec",
				"newinstance",
				"ptmxmode=0666",
				"mode=0620")";
constexpr std::string_view kMounts = R"(
			]
		},
		{
			"destination": "/dev/shm",
			"type": "tmpfs",
			"source": "shm",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"mode=1777",
				"size=65536k"
			]
		},
		{
			"destination": "/dev/mqueue",
			"type": "mqueue",
			"source": "mqueue",
			"options": [
				"nosuid",
				"noexec",
				"nodev"
			]
		},
		{
			"destination": "/sys",
)";
constexpr std::string_view kLinux = R"(				"nosuid",
				"noexec",
				"nodev",
				"ro"
			]
		},
		{
			"destination": "/sys/fs/cgroup",
			"type": "cgroup",
			"source": "cgroup",
			"options": [
				"nosuid",
				"noexec",
				"nodev",
				"relatime",
				"ro"
			]
		}
	],
	"linux": {
)";
constexpr std::string_view kResources = R"(		"resources": {
			"devices": [
				{
					"allow": false,
					"access": "rwm"
				}
			]
		},
)";
constexpr std::string_view kEnd = R"(		],
		"maskedPaths": [
			"/proc/acpi",
			"/proc/asound",
			"/proc/kcore",
			"/proc/keys",
			"/proc/latency_stats",
			"/proc/timer_list",
			"/proc/timer_stats",
			"/proc/sched_debug",
			"/sys/firmware",
			"/proc/scsi"
		],
		"readonlyPaths": [
			"/proc/bus",
			"/proc/fs",
			"/proc/irq",
			"/proc/sys",
			"/proc/sysrq-trigger"
		]
	}
})";

// One ID: the caller's becomes root.
std::string mapping(std::string_view key, unsigned id) {
  return "\t\t\"" + std::string(key) +
         "\": [\n\t\t\t{\n\t\t\t\t\"containerID\": 0,\n\t\t\t\t\"hostID\": " + std::to_string(id) +
         ",\n\t\t\t\t\"size\": 1\n\t\t\t}\n\t\t],\n";
}

std::string namespaces(std::initializer_list<std::string_view> types) {
  std::string out = "\t\t\"namespaces\": [";
  const char* separator = "\n";
  for (const std::string_view type : types) {
    out += separator;
    out += "\t\t\t{\n\t\t\t\t\"type\": \"" + std::string(type) + "\"\n\t\t\t}";
    separator = ",\n";
  }
  return out + "\n";
}

}  // namespace

std::string example_config(bool rootless, unsigned uid, unsigned gid) {
  std::string out(kBegin);
  out += kSpecVersion;
  out += kProcess;
  // Group 5 (tty) has no ID in the namespace of a single user.
  if (!rootless) out += ",\n\t\t\t\t\"gid=5\"";
  out += kMounts;
  // Without a network namespace of its own, a user namespace can't mount sysfs: bind the host's.
  out += rootless
             ? "\t\t\t\"type\": \"none\",\n\t\t\t\"source\": \"/sys\",\n"
               "\t\t\t\"options\": [\n\t\t\t\t\"rbind\",\n"
             : "\t\t\t\"type\": \"sysfs\",\n\t\t\t\"source\": \"sysfs\",\n\t\t\t\"options\": [\n";
  out += kLinux;
  if (rootless) {
    out += mapping("uidMappings", uid);
    out += mapping("gidMappings", gid);
    out += namespaces({"pid", "ipc", "uts", "mount", "user"});
  } else {
    out += kResources;
    out += namespaces({"pid", "network", "ipc", "uts", "mount"});
  }
  out += kEnd;
  return out;
}

}  // namespace hull::specconv

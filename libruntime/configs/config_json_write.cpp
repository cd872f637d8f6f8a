#include "libruntime/configs/config_json.h"
#include "libruntime/configs/config_json_parts.h"
#include "libruntime/configs/config_keys.h"
#include "libruntime/configs/json_sinks.h"
#include "libruntime/configs/json_writer.h"
#include "libruntime/configs/names.h"

// The order of keys is runc's, so that the files can be compared by eye.
namespace hull::configs {
namespace {

template <class Sink>
class Writer : JsonWriter<Sink> {
  using Base = JsonWriter<Sink>;
  using Base::list, Base::list_given, Base::out_, Base::put, Base::put_given, Base::strings;

 public:
  explicit Writer(Sink& out) : Base(out) {}

  void config(const Config& in) {
    out_.begin_object();
    put("no_pivot_root", in.no_pivot_root);
    put("parent_death_signal", in.parent_death_signal);
    put("rootfs", in.rootfs);
    put("umask", in.umask);
    put("readonlyfs", in.readonly_rootfs);
    put("rootPropagation", in.root_propagation);
    list("mounts", in.mounts, [this](const Mount& one) { mount(one); });
    list("devices", in.devices, [this](const Device& one) { device(one); });
    put("mount_label", in.mount_label);
    put("hostname", in.hostname);
    put("domainname", in.domainname);
    list("namespaces", in.namespaces, [this](const Namespace& one) { ns(one); });
    capabilities(in.capabilities);
    write_networks(*this, in);
    out_.key("cgroups");
    cgroup(in.cgroup);
    if (!in.apparmor_profile.empty()) put("apparmor_profile", in.apparmor_profile);
    if (!in.process_label.empty()) put("process_label", in.process_label);
    if (!in.rlimits.empty())
      list("rlimits", in.rlimits, [this](const Rlimit& one) { rlimit(one); });
    if (in.oom_score_adj) put("oom_score_adj", in.oom_score_adj);
    id_maps("uid_mappings", in.uid_mappings);
    id_maps("gid_mappings", in.gid_mappings);
    strings("mask_paths", in.mask_paths);
    strings("readonly_paths", in.readonly_paths);
    strings("sysctl", in.sysctl);
    out_.key("seccomp");
    seccomp(in.seccomp);
    if (in.no_new_privileges) put("no_new_privileges", true);
    out_.key("Hooks");
    hooks(in.hooks);
    put("version", in.version);
    strings("labels", in.labels);
    put("no_new_keyring", in.no_new_keyring);
    if (in.rootless_euid) put("rootless_euid", true);
    if (in.rootless_cgroups) put("rootless_cgroups", true);
    write_rare_parts(*this, in);
    out_.end_object();
  }

 private:
  void mount(const Mount& in) {
    out_.begin_object();
    put("source", in.source);
    put("destination", in.destination);
    put("device", in.type);
    put("flags", in.flags);
    put("cleared_flags", in.clear_flags);
    list("propagation_flags", in.propagation, [this](uint64_t flags) { out_.value(flags); });
    put("data", in.data);
    put("relabel", std::string_view());
    out_.key("rec_attr");
    if (in.recursive_set == 0 && in.recursive_clear == 0) {
      out_.null();
    } else {
      out_.begin_object();
      put("Attr_set", in.recursive_set);
      put("Attr_clr", in.recursive_clear);
      put("Propagation", 0);
      put("Userns_fd", 0);
      out_.end_object();
    }
    int extensions = 0;
    for (const MountExtension& one : kMountExtensions)
      if (in.*one.member) extensions |= one.bit;
    put("extensions", extensions);
    if (!in.uid_mappings.empty() || !in.gid_mappings.empty()) {
      out_.key("id_mapping");
      out_.begin_object();
      id_maps("uid_mappings", in.uid_mappings);
      id_maps("gid_mappings", in.gid_mappings);
      put("recursive", in.idmap_recursive);
      out_.end_object();
    }
    out_.end_object();
  }

  void device(const Device& in) {
    out_.begin_object();
    put("type", static_cast<int>(in.type));
    put("major", in.major);
    put("minor", in.minor);
    put("permissions", std::string_view());
    put("allow", false);
    put("path", in.path);
    put("file_mode", in.file_mode);
    put("uid", in.uid);
    put("gid", in.gid);
    out_.end_object();
  }

  void ns(const Namespace& in) {
    out_.begin_object();
    put("type", name_of(in.type).state);
    put("path", in.path);
    out_.end_object();
  }

  void capabilities(const std::optional<Capabilities>& in) {
    out_.key("capabilities");
    if (!in) return out_.null();
    out_.begin_object();
    strings("Bounding", in->bounding);
    strings("Effective", in->effective);
    strings("Inheritable", in->inheritable);
    strings("Permitted", in->permitted);
    strings("Ambient", in->ambient);
    out_.end_object();
  }

  void cgroup(const Cgroup& in) {
    out_.begin_object();
    put_given("name", in.name);
    put_given("parent", in.parent);
    put("path", in.path);
    put_given("scope_prefix", in.scope_prefix);
    resources(in.resources);
    put_given("Systemd", in.systemd);
    put_given("Rootless", in.rootless);
    if (in.owner_uid) put("OwnerUID", *in.owner_uid);
    out_.end_object();
  }

  void resources(const Resources& in) {
    list_given("devices", in.devices, [this](const DeviceRule& one) { rule(one); });
    put_given("memory", in.memory);
    put_given("memory_reservation", in.memory_reservation);
    put_given("memory_swap", in.memory_swap);
    put_given("cpu_shares", in.cpu_shares);
    put_given("cpu_quota", in.cpu_quota);
    put_given("cpu_burst", in.cpu_burst);
    put_given("cpu_period", in.cpu_period);
    put_given("cpu_rt_quota", in.cpu_rt_runtime);
    put_given("cpu_rt_period", in.cpu_rt_period);
    put_given("cpuset_cpus", in.cpuset_cpus);
    put_given("cpuset_mems", in.cpuset_mems);
    put_given("cpu_idle", in.cpu_idle);
    put_given("pids_limit", in.pids_limit);
    put_given("blkio_weight", in.blkio_weight);
    put_given("blkio_leaf_weight", in.blkio_leaf_weight);
    list_given("blkio_weight_device", in.blkio_weight_device, [this](const WeightDevice& one) {
      numbers(one.major, one.minor);
      put("weight", one.weight);
      put("leafWeight", one.leaf_weight);
      out_.end_object();
    });
    throttles("blkio_throttle_read_bps_device", in.throttle_read_bps);
    throttles("blkio_throttle_write_bps_device", in.throttle_write_bps);
    throttles("blkio_throttle_read_iops_device", in.throttle_read_iops);
    throttles("blkio_throttle_write_iops_device", in.throttle_write_iops);
    list_given("hugetlb_limit", in.hugetlb, [this](const HugepageLimit& one) {
      out_.begin_object();
      put("page_size", one.page_size);
      put("limit", one.limit);
      out_.end_object();
    });
    put_given("oom_kill_disable", in.oom_kill_disable.value_or(false));
    put_given("memory_swappiness", in.memory_swappiness);
    list_given("net_prio_ifpriomap", in.net_prio, [this](const InterfacePriority& one) {
      out_.begin_object();
      put("interface", one.interface);
      put("priority", one.priority);
      out_.end_object();
    });
    put_given("net_cls_classid_u", in.net_cls_classid);
    rdma(in.rdma);
    put_given("cpu_weight", in.cpu_weight);
    if (!in.unified.empty()) strings("unified", in.unified);
    put_given("memory_check_before_update", in.memory_check_before_update);
  }

  void rule(const DeviceRule& in) {
    out_.begin_object();
    put("type", static_cast<int>(in.type));
    put("major", in.major);
    put("minor", in.minor);
    put("permissions", in.permissions);
    put("allow", in.allow);
    out_.end_object();
  }

  // Opens an object that its caller ends.
  void numbers(int64_t major_number, int64_t minor_number) {
    out_.begin_object();
    put("major", major_number);
    put("minor", minor_number);
  }

  void throttles(std::string_view key, const std::vector<ThrottleDevice>& in) {
    list_given(key, in, [this](const ThrottleDevice& one) {
      numbers(one.major, one.minor);
      put("rate", one.rate);
      out_.end_object();
    });
  }

  void rdma(const std::map<std::string, RdmaLimit>& in) {
    if (in.empty()) return;
    out_.key("rdma");
    out_.begin_object();
    for (const auto& [name, limit] : in) {
      out_.text_key(name);
      out_.begin_object();
      put_given("hca_handles", limit.hca_handles);
      put_given("hca_objects", limit.hca_objects);
      out_.end_object();
    }
    out_.end_object();
  }

  void rlimit(const Rlimit& in) {
    out_.begin_object();
    put("type", in.type);
    put("hard", in.hard);
    put("soft", in.soft);
    out_.end_object();
  }

  void id_maps(std::string_view key, const std::vector<IdMap>& in) {
    list(key, in, [this](const IdMap& one) {
      out_.begin_object();
      put("container_id", one.container_id);
      put("host_id", one.host_id);
      put("size", one.size);
      out_.end_object();
    });
  }

  template <class Table, class Value>
  static int number_of(const Table& table, Value value) {
    for (const auto& [number, known] : table)
      if (known == value) return number;
    return 0;
  }

  void seccomp(const std::optional<Seccomp>& in) {
    if (!in) return out_.null();
    out_.begin_object();
    put("default_action", number_of(kSeccompActionNumbers, in->default_action));
    strings("architectures", in->architectures);
    // runc has replaced absent flags by their default when it writes; an empty list is null.
    strings("flags", in->flags_given ? in->flags : std::vector<std::string>{kDefaultSeccompFlag});
    list("syscalls", in->calls, [this](const SeccompCall& one) { call(one); });
    put("default_errno_ret", in->default_errno_ret);
    put_given("listener_path", in->listener_path);
    put_given("listener_metadata", in->listener_metadata);
    out_.end_object();
  }

  void call(const SeccompCall& in) {
    out_.begin_object();
    put("name", in.name);
    put("action", number_of(kSeccompActionNumbers, in.action));
    put("errnoRet", in.errno_ret);
    out_.key("args");
    out_.begin_list();
    for (const SeccompArg& arg : in.args) {
      out_.begin_object();
      put("index", arg.index);
      put("value", arg.value);
      put("value_two", arg.value_two);
      put("op", number_of(kSeccompOperatorNumbers, arg.op));
      out_.end_object();
    }
    out_.end_list();
    out_.end_object();
  }

  void hooks(const Hooks& in) {
    out_.begin_object();
    hook_list("createContainer", in.create_container);
    hook_list("createRuntime", in.create_runtime);
    hook_list("poststart", in.poststart);
    hook_list("poststop", in.poststop);
    hook_list("prestart", in.prestart);
    hook_list("startContainer", in.start_container);
    out_.end_object();
  }

  // Commands only: a function can't be stored.
  void hook_list(const char* key, std::vector<Hook> in) {
    std::erase_if(in, [](const Hook& one) { return one.function != nullptr; });
    list(key, in, [this](const Hook& one) { hook(one); });
  }

  void hook(const Hook& in) {
    out_.begin_object();
    put("path", in.path);
    strings("args", in.args);
    strings("env", in.env);
    put("dir", in.dir);
    put("timeout", in.timeout_ns);
    out_.end_object();
  }
};

}  // namespace

std::string config_to_json(const Config& config) {
  TextSink sink;
  Writer(sink).config(config);
  return sink.take();
}

void config_to_json(const Config& config, nlohmann::json& out) {
  TreeSink sink(out);
  Writer(sink).config(config);
}

}  // namespace hull::configs

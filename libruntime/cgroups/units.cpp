#include "libruntime/cgroups/units.h"

#include <dbus/dbus.h>

#include <new>

#include "libruntime/system/error.h"
#include "libruntime/system/text.h"

namespace hull::cgroups {
namespace {

using configs::UnitProperty;

constexpr char kService[] = "org.freedesktop.systemd1";
constexpr char kObject[] = "/org/freedesktop/systemd1";
constexpr char kManager[] = "org.freedesktop.systemd1.Manager";
constexpr char kNoSuchUnit[] = "org.freedesktop.systemd1.NoSuchUnit";

void check(dbus_bool_t done) {
  if (done == 0) throw std::bad_alloc();
}

// Appends values to a message, or to a container in it.
class Writer {
 public:
  explicit Writer(const BusMessage& message) {
    if (!message) throw std::bad_alloc();
    dbus_message_iter_init_append(message.get(), &position_);
  }

  void put(bool value) {
    const dbus_bool_t word = value ? 1 : 0;
    basic(DBUS_TYPE_BOOLEAN, &word);
  }
  void put(uint8_t value) { basic(DBUS_TYPE_BYTE, &value); }
  void put(int32_t value) { basic(DBUS_TYPE_INT32, &value); }
  void put(uint32_t value) { basic(DBUS_TYPE_UINT32, &value); }
  void put(uint64_t value) { basic(DBUS_TYPE_UINT64, &value); }
  void put(const std::string& value) {
    const char* text = value.c_str();
    // libdbus ends the process over text that is not UTF-8.
    if (dbus_validate_utf8(text, nullptr) == 0)
      throw Error("a text for systemd is not UTF-8: " + quote(value));
    basic(DBUS_TYPE_STRING, &text);
  }
  template <class T>
  void put(const std::pair<std::string, T>& value) {
    inside(DBUS_TYPE_STRUCT, nullptr, [&](Writer& inner) {
      inner.put(value.first);
      inner.put(value.second);
    });
  }
  template <class T>
  void put(const std::vector<T>& values) {
    inside(DBUS_TYPE_ARRAY, signature<T>(), [&](Writer& inner) {
      for (const T& value : values) inner.put(value);
    });
  }
  void put(const UnitProperty& property) {
    inside(DBUS_TYPE_STRUCT, nullptr, [&](Writer& inner) {
      inner.put(property.name);
      std::visit(
          [&](const auto& value) {
            inner.inside(DBUS_TYPE_VARIANT, signature<std::decay_t<decltype(value)>>(),
                         [&](Writer& variant) { variant.put(value); });
          },
          property.value);
    });
  }
  void put_nothing(const char* element) {
    inside(DBUS_TYPE_ARRAY, element, [](Writer&) {});
  }

 private:
  Writer() = default;

  template <class T>
  static constexpr const char* signature() {
    if constexpr (std::is_same_v<T, bool>) return "b";
    if constexpr (std::is_same_v<T, uint8_t>) return "y";
    if constexpr (std::is_same_v<T, int32_t>) return "i";
    if constexpr (std::is_same_v<T, uint32_t>) return "u";
    if constexpr (std::is_same_v<T, uint64_t>) return "t";
    if constexpr (std::is_same_v<T, std::string>) return "s";
    if constexpr (std::is_same_v<T, std::pair<std::string, std::string>>) return "(ss)";
    if constexpr (std::is_same_v<T, std::pair<std::string, uint64_t>>) return "(st)";
    if constexpr (std::is_same_v<T, UnitProperty>) return "(sv)";
    if constexpr (std::is_same_v<T, std::vector<std::string>>) return "as";
    if constexpr (std::is_same_v<T, std::vector<uint8_t>>) return "ay";
    if constexpr (std::is_same_v<T, std::vector<uint32_t>>) return "au";
    if constexpr (std::is_same_v<T, std::vector<std::pair<std::string, std::string>>>)
      return "a(ss)";
    if constexpr (std::is_same_v<T, std::vector<std::pair<std::string, uint64_t>>>) return "a(st)";
  }

  void basic(int type, const void* value) {
    check(dbus_message_iter_append_basic(&position_, type, value));
  }

  template <class Fill>
  void inside(int type, const char* contained, Fill fill) {
    Writer inner;
    check(dbus_message_iter_open_container(&position_, type, contained, &inner.position_));
    try {
      fill(inner);
    } catch (...) {
      dbus_message_iter_abandon_container(&position_, &inner.position_);
      throw;
    }
    check(dbus_message_iter_close_container(&position_, &inner.position_));
  }

  DBusMessageIter position_{};
};

BusMessage manager_call(const char* method) {
  BusMessage message(dbus_message_new_method_call(kService, kObject, kManager, method));
  if (!message) throw std::bad_alloc();
  return message;
}

// Only the news of this unit's jobs: on a busy host those of others are many.
void watch_jobs(Bus& bus, const std::string& unit) {
  if (bus.direct()) return;
  const BusMessage message(dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                        DBUS_INTERFACE_DBUS, "AddMatch"));
  Writer(message).put("type='signal',sender='" + std::string(kService) + "',path='" + kObject +
                      "',interface='" + kManager + "',member='JobRemoved',arg2='" + unit + "'");
  bus.post(message);
}

std::string object_path(const BusMessage& answer) {
  const char* path = nullptr;
  if (dbus_message_get_args(answer.get(), nullptr, DBUS_TYPE_OBJECT_PATH, &path,
                            DBUS_TYPE_INVALID) == 0)
    throw Error("systemd's answer holds no job");
  return path;
}

// The job's result: "done", "failed", "canceled", "timeout", "dependency", "skipped".
std::string wait_for_job(Bus& bus, const std::string& job, const std::string& unit) {
  const Deadline deadline(bus.limit());
  while (const BusMessage signal = bus.next_signal(deadline)) {
    if (dbus_message_is_signal(signal.get(), kManager, "JobRemoved") == 0) continue;
    dbus_uint32_t id = 0;
    const char* path = nullptr;
    const char* name = nullptr;
    const char* result = nullptr;
    if (dbus_message_get_args(signal.get(), nullptr, DBUS_TYPE_UINT32, &id, DBUS_TYPE_OBJECT_PATH,
                              &path, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &result,
                              DBUS_TYPE_INVALID) != 0 &&
        job == path)
      return result;
  }
  throw Error("systemd did not finish job " + quote(job) + " of unit " + quote(unit) + " within " +
                  std::to_string(bus.limit().count() / 1000) + " s",
              "", ETIMEDOUT);
}

void check_unit_name(const std::string& unit) {
  // It stands between quotes in a match rule.
  if (unit.find('\'') != std::string::npos)
    throw Error("a systemd unit can't be called " + quote(unit)).field("/linux/cgroupsPath");
}

}  // namespace

void start_transient_unit(Bus& bus, const std::string& unit,
                          const std::vector<UnitProperty>& properties) {
  check_unit_name(unit);
  watch_jobs(bus, unit);
  const BusMessage message = manager_call("StartTransientUnit");
  Writer writer(message);
  writer.put(unit);
  writer.put(std::string("replace"));
  writer.put(properties);
  writer.put_nothing("(sa(sv))");
  const std::string job = object_path(bus.call(message));
  const std::string result = wait_for_job(bus, job, unit);
  if (result == "done") return;
  reset_failed_unit(bus, unit);
  throw Error("systemd could not start unit " + quote(unit) + ": the result of job " + quote(job) +
              " is " + quote(result));
}

void stop_unit(Bus& bus, const std::string& unit) {
  check_unit_name(unit);
  watch_jobs(bus, unit);
  const BusMessage message = manager_call("StopUnit");
  Writer writer(message);
  writer.put(unit);
  writer.put(std::string("replace"));
  try {
    const std::string job = object_path(bus.call(message));
    const std::string result = wait_for_job(bus, job, unit);
    if (result != "done")
      throw Error("systemd could not stop unit " + quote(unit) + ": the result of job " +
                  quote(job) + " is " + quote(result));
  } catch (const BusError& e) {
    if (e.name() != kNoSuchUnit) throw;
    return;
  }
  reset_failed_unit(bus, unit);
}

void reset_failed_unit(Bus& bus, const std::string& unit) {
  const BusMessage message = manager_call("ResetFailedUnit");
  Writer(message).put(unit);
  try {
    bus.call(message);
  } catch (const BusError& e) {
    if (e.name() != kNoSuchUnit) throw;
  }
}

void set_unit_properties(Bus& bus, const std::string& unit,
                         const std::vector<UnitProperty>& properties) {
  const BusMessage message = manager_call("SetUnitProperties");
  Writer writer(message);
  writer.put(unit);
  writer.put(true);  // until the next boot: the unit does not live longer either
  writer.put(properties);
  bus.call(message);
}

std::string manager_property(Bus& bus, const std::string& name) {
  const BusMessage message(
      dbus_message_new_method_call(kService, kObject, DBUS_INTERFACE_PROPERTIES, "Get"));
  Writer writer(message);
  writer.put(std::string(kManager));
  writer.put(name);
  const BusMessage answer = bus.call(message);
  DBusMessageIter position;
  DBusMessageIter variant;
  if (dbus_message_iter_init(answer.get(), &position) == 0 ||
      dbus_message_iter_get_arg_type(&position) != DBUS_TYPE_VARIANT)
    throw Error("systemd's property " + name + " is no variant");
  dbus_message_iter_recurse(&position, &variant);
  if (dbus_message_iter_get_arg_type(&variant) != DBUS_TYPE_STRING)
    throw Error("systemd's property " + name + " is no string");
  const char* text = nullptr;
  dbus_message_iter_get_basic(&variant, &text);
  return text;
}

unsigned version_number(const std::string& text) {
  const size_t start = text.find_first_of("0123456789");
  if (start == std::string::npos) return 0;
  const size_t end = text.find_first_not_of("0123456789", start);
  return parse_number<unsigned>(std::string_view(text).substr(start, end - start)).value_or(0);
}

}  // namespace hull::cgroups

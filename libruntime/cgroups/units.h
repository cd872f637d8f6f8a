#pragma once

#include <string>
#include <vector>

#include "libruntime/cgroups/bus.h"
#include "libruntime/configs/unit_property.h"

// What is asked of systemd about one unit (org.freedesktop.systemd1(5)). Each waits for the end of
// the job that it starts; throws Error with the unit and the job's result.
namespace hull::cgroups {

// What systemd calls it when there is such a unit already.
inline constexpr char kUnitExists[] = "org.freedesktop.systemd1.UnitExists";

// Throws BusError with kUnitExists.
void start_transient_unit(Bus& bus, const std::string& unit,
                          const std::vector<configs::UnitProperty>& properties);
// Done when there is none.
void stop_unit(Bus& bus, const std::string& unit);
// A unit that failed stays until it is told to go. Done when there is none, or it did not fail.
void reset_failed_unit(Bus& bus, const std::string& unit);
void set_unit_properties(Bus& bus, const std::string& unit,
                         const std::vector<configs::UnitProperty>& properties);

// A property of the manager itself that is a string: "Version", "ControlGroup".
std::string manager_property(Bus& bus, const std::string& name);
// 257 of "257.13-1~deb13u1"; 0 when there is no number. Pure.
unsigned version_number(const std::string& text);

}  // namespace hull::cgroups

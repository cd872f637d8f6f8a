#pragma once

#include <map>
#include <string>
#include <vector>

#include "libruntime/configs/unit_property.h"

namespace hull::specconv {

// What the annotations "org.systemd.property.NAME" say about the container's unit, in GVariant's
// text form ("uint64 5", "'inactive-or-failed'", "['crio.service']"). As runc has it, the name of a
// time may end in Sec instead of USec. Only properties that can do no harm to the host are taken
// (CVE-2024-3154: an annotation of a pod ran commands on it). Throws hull::Error with the
// annotation as the field.
std::vector<configs::UnitProperty> unit_properties(
    const std::map<std::string, std::string>& annotations);

}  // namespace hull::specconv

#pragma once

#include "libruntime/configs/config.h"
#include "libruntime/security/seccomp_rules.h"

namespace hull::security {

// A profile's rules by the table of system calls. Throws Error with the field.
RuleSet rule_set(const configs::Seccomp& profile);

}  // namespace hull::security

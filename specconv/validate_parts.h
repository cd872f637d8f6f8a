#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specconv/problem.h"
#include "specconv/spec.h"

// What the validate*.cpp files have of each other. `base` is the pointer of the object.
namespace hull::specconv {

void check_id_maps(const std::vector<configs::IdMap>& maps, const std::string& base,
                   Problems& problems);
void check_process(const Process& process, std::string_view base, Problems& problems);
void check_mounts(const Spec& spec, Problems& problems);
void check_linux(const Spec& spec, Problems& problems);
void check_resources(const Resources& resources, std::string_view base, Problems& problems);
void check_seccomp(const Seccomp& seccomp, Problems& problems);
// Names that libseccomp does not know. A filter leaves them out.
void check_syscall_names(const Seccomp& seccomp, Problems& problems);

}  // namespace hull::specconv

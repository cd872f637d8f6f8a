#pragma once

#include <string>

// Freezing all processes of a cgroup: the v1 freezer controller and v2's cgroup.freeze.
namespace hull::cgroups {

// Freezes or thaws and waits until the kernel says so, at most 10 s; a cgroup that can't be frozen
// is thawed again. Throws Error.
void freeze_v1(const std::string& dir, bool frozen);
void freeze_v2(const std::string& dir, bool frozen);

// Whether this very cgroup was told to freeze. False when the cgroup or the file is gone. That a
// parent is frozen does not count: thawing this one would not help.
bool frozen_v1(const std::string& dir);
bool frozen_v2(const std::string& dir);

// The cgroup that keeps the processes of `dir` frozen: this one or a parent. Empty when none does.
std::string frozen_by_v1(const std::string& dir);
std::string frozen_by_v2(const std::string& dir);

// Whether a process that enters would be stopped, because of this cgroup or a parent.
bool would_freeze_v1(const std::string& dir);

}  // namespace hull::cgroups

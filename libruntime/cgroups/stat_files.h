#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libruntime/cgroups/stats.h"

// Parsing the files that statistics come from.
namespace hull::cgroups {

// The whole content; empty when the file or the cgroup is gone, or the kernel does not keep these
// numbers (EOPNOTSUPP: booted with psi=0). Throws Error.
std::string read_stat_file(const std::string& dir, std::string_view file);

// One number; 0 when there is none ("max" as well).
uint64_t read_stat_number(const std::string& dir, std::string_view file);
// The same, with "max" as UINT64_MAX.
uint64_t read_stat_limit(const std::string& dir, std::string_view file);

// "key value" lines. Pure, as those below.
std::map<std::string, uint64_t> parse_flat(std::string_view text);
// 0 when it is not there.
uint64_t value_of(const std::map<std::string, uint64_t>& flat, const std::string& key);
// "1 2 3".
std::vector<uint64_t> parse_numbers(std::string_view text);
// "0-2,7" of cpuset files.
std::vector<unsigned> parse_list(std::string_view text);
// "8:0 Read 5", and "8:0 5" without an operation; sums over all devices are left out.
std::vector<BlockEntry> parse_block_lines(std::string_view text);
// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" and the same for "full"; nothing without "some".
std::optional<Pressure> parse_pressure(std::string_view text);
// "mlx5_0 hca_handle=2 hca_object=max".
std::vector<RdmaEntry> parse_rdma(std::string_view text);
// The page sizes among names such as "hugetlb.2MB.`suffix`".
std::vector<std::string> page_sizes(const std::vector<std::string>& names, std::string_view suffix);

void read_v1_stats(const std::map<std::string, std::string>& paths, Stats& out);
// `taken` are the controllers that v1 has.
void read_v2_stats(const std::string& dir, const std::map<std::string, std::string>& taken,
                   Stats& out);

// Files that are the same in both versions.
void read_pids(const std::string& dir, PidsStats& out);
void read_rdma(const std::string& dir, Stats& out);
void read_misc(const std::string& dir, Stats& out);
// The names in a directory.
std::vector<std::string> file_names(const std::string& dir);

}  // namespace hull::cgroups

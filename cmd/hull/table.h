#pragma once

#include <string>
#include <vector>

namespace hull::cmd {

// Rows of cells as Go's text/tabwriter with minimal width 12 and padding 3 lays them out; the last
// cell of a row is not padded. Width is counted in code points. All rows have as many cells.
std::string table_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace hull::cmd

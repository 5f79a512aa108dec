// Columns that line up. Pure.
#pragma once

#include <string>
#include <vector>

namespace umlfarm {

using Row = std::vector<std::string>;

// A header and rows of as many cells. Numbers, as columns of `right` say, line up at their right.
std::string table(const Row& header, const std::vector<Row>& rows,
                  const std::vector<std::size_t>& right = {});

// "name:  value" lines, the values lined up.
std::string fields(const std::vector<std::pair<std::string, std::string>>& pairs);

}  // namespace umlfarm

#include "provisioner/base/table.h"

#include <algorithm>

namespace umlfarm {
namespace {

std::string line(const Row& row, const std::vector<std::size_t>& widths,
                 const std::vector<std::size_t>& right) {
  std::string text;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string padding(widths[i] - std::min(widths[i], row[i].size()), ' ');
    const bool at_right = std::find(right.begin(), right.end(), i) != right.end();
    text += (i == 0 ? "" : "  ") + (at_right ? padding + row[i] : row[i] + padding);
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text + "\n";
}

}  // namespace

std::string table(const Row& header, const std::vector<Row>& rows, const std::vector<std::size_t>& right) {
  std::vector<std::size_t> widths(header.size());
  const auto widen = [&](const Row& row) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  };
  widen(header);
  for (const Row& row : rows) widen(row);
  std::string text = line(header, widths, right);
  for (const Row& row : rows) text += line(row, widths, right);
  return text;
}

std::string fields(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t width = 0;
  for (const auto& [name, value] : pairs) width = std::max(width, name.size());
  std::string text;
  for (const auto& [name, value] : pairs) {
    if (!value.empty()) text += name + ":" + std::string(width - name.size() + 2, ' ') + value + "\n";
  }
  return text;
}

}  // namespace umlfarm

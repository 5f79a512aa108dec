#include "tests/bench/report.h"

#include <algorithm>
#include <cstdio>

namespace umlfarm::bench {

double median(std::vector<double> samples) {
  if (samples.empty()) return 0;
  std::sort(samples.begin(), samples.end());
  const std::size_t middle = samples.size() / 2;
  return samples.size() % 2 != 0 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

void print_table(const std::string& title, const std::string& unit, const std::vector<Row>& rows) {
  std::printf("\n| %s (%s) | runs | min | median | max | ratio |\n|---|---:|---:|---:|---:|---:|\n",
              title.c_str(), unit.c_str());
  const double base = rows.empty() ? 0 : median(rows.front().samples);
  for (const Row& row : rows) {
    if (row.samples.empty()) {
      std::printf("| %s | 0 | – | – | – | – |\n", row.what.c_str());
      continue;
    }
    const auto [least, most] = std::minmax_element(row.samples.begin(), row.samples.end());
    const double middle = median(row.samples);
    std::printf("| %s | %zu | %.1f | %.1f | %.1f | %.2f |\n", row.what.c_str(), row.samples.size(), *least,
                middle, *most, base > 0 ? middle / base : 0);
  }
  std::fflush(stdout);
}

}  // namespace umlfarm::bench

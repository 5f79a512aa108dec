// Figures as a table in Markdown, on standard output.
#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace umlfarm::bench {

inline double milliseconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

struct Row {
  std::string what;
  std::vector<double> samples;  // one a run; their median is what is said
};

double median(std::vector<double> samples);

// Minimum, median and maximum of each row, and the ratio of its median to that of the first row.
void print_table(const std::string& title, const std::string& unit, const std::vector<Row>& rows);

}  // namespace umlfarm::bench

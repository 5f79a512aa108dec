// A control group of one guest in one hierarchy, and its files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::quota {

struct Group {
  std::string directory;
  bool v2 = false;
  std::string disk = {};  // what it may use of that is limited: "254:0"; empty: none is

  std::string file(const char* v1_name, const char* v2_name) const {
    return directory + "/" + (v2 ? v2_name : v1_name);
  }
};

// A file that holds one number. Zero where there is no such file, or it holds "max".
std::uint64_t read_count(const std::string& file);
// The number behind `key` in a file of "key number" lines; zero where there is none.
std::uint64_t read_count(const std::string& file, std::string_view key);
// What a text begins with; zero where that is no number. Pure.
std::uint64_t leading_number(std::string_view text);
// The number behind `key` in a text of such lines. Pure.
std::uint64_t find_count(std::string_view text, std::string_view key);

}  // namespace umlfarm::quota

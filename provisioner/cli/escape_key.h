// Finds the key that leaves a console in what is typed. Pure.
#pragma once

#include <string>
#include <string_view>

namespace umlfarm::cli {

inline constexpr char kEscapeKey = 0x1d;  // Ctrl-]

struct Typed {
  std::string data;    // for the guest
  bool leave = false;  // the key was typed after it
};

Typed split_at_escape(std::string_view input);

}  // namespace umlfarm::cli

// Text of others, as it may be shown anywhere: printable ASCII.
#pragma once

#include <string>
#include <string_view>

namespace umlfarm {

constexpr bool is_printable(char c) { return c >= ' ' && c <= '~'; }

// With '?' in place of each byte that is not.
std::string printable(std::string_view text);

}  // namespace umlfarm

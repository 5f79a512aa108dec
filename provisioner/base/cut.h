// Text taken apart from its front.
#pragma once

#include <algorithm>
#include <string_view>

namespace umlfarm {

// What is before the first `separator`, taken from `text` together with it; all of it where there is none.
inline std::string_view cut(std::string_view& text, char separator) {
  const std::string_view first = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(first.size() + 1, text.size()));
  return first;
}

}  // namespace umlfarm

#include "provisioner/base/printable.h"

#include <algorithm>

namespace umlfarm {

std::string printable(std::string_view text) {
  std::string shown(text);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return !is_printable(c); }, '?');
  return shown;
}

}  // namespace umlfarm

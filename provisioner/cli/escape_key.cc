#include "provisioner/cli/escape_key.h"

namespace umlfarm::cli {

Typed split_at_escape(std::string_view input) {
  const std::size_t key = input.find(kEscapeKey);
  return {std::string(input.substr(0, key)), key != std::string_view::npos};
}

}  // namespace umlfarm::cli

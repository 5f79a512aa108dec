// Base64 of RFC 4648, with padding, on one line.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace umlfarm::guest {

std::string base64_encode(std::string_view data);
// Nothing when the text is not exactly what base64_encode() gives for some data.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace umlfarm::guest

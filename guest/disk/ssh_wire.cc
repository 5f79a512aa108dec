#include "guest/disk/ssh_wire.h"

namespace umlfarm::guest {

void put_wire_u32(std::string& out, std::uint32_t value) {
  for (unsigned shift = 32; shift > 0; shift -= 8) out += static_cast<char>(value >> (shift - 8) & 0xffU);
}

void put_wire_string(std::string& out, std::string_view value) {
  put_wire_u32(out, static_cast<std::uint32_t>(value.size()));
  out += value;
}

std::optional<std::string_view> WireReader::string() {
  if (left_.size() < 4) return std::nullopt;
  std::uint32_t length = 0;
  for (const char c : left_.substr(0, 4)) length = length << 8U | static_cast<unsigned char>(c);
  left_.remove_prefix(4);
  if (length > left_.size()) return std::nullopt;
  const std::string_view value = left_.substr(0, length);
  left_.remove_prefix(length);
  return value;
}

}  // namespace umlfarm::guest

// Packets of the management console, good and bad, as a kernel would send them.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>

namespace umlfarm::guest::mconsole {

inline std::string words(std::initializer_list<std::uint32_t> values) {
  std::string bytes(values.size() * sizeof(std::uint32_t), '\0');
  std::memcpy(bytes.data(), values.begin(), bytes.size());
  return bytes;
}

inline std::string reply_packet(std::uint32_t error, std::uint32_t more, std::uint32_t length,
                                const std::string& data) {
  return words({error, more, length}) + data;
}

// As UML writes it: the NUL is counted.
inline std::string reply_packet(const std::string& text, bool more = false) {
  return reply_packet(0, more ? 1 : 0, static_cast<std::uint32_t>(text.size() + 1), text + '\0');
}

}  // namespace umlfarm::guest::mconsole

// SSH's wire encoding (RFC 4251, section 5), as far as keys need it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace umlfarm::guest {

// Appends a 32-bit number, or a string with its length before it.
void put_wire_u32(std::string& out, std::uint32_t value);
void put_wire_string(std::string& out, std::string_view value);

// Takes strings off the front of data that outlives it.
class WireReader {
 public:
  explicit WireReader(std::string_view data) : left_(data) {}
  // Nothing when the data ends before the string does.
  std::optional<std::string_view> string();
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

}  // namespace umlfarm::guest

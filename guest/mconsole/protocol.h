// UML's management console on the wire: datagrams in the host's byte order. Pure: no I/O.
//
// Whoever answers is a tenant's kernel: every length and every word of it is checked and bounded.
// Source: arch/um/include/shared/mconsole.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::guest::mconsole {

// The longest command; UML refuses requests of 512 bytes and more.
inline constexpr std::size_t kMostCommand = 511;
// What a reply may grow to before it is cut off.
inline constexpr std::size_t kMostReply = std::size_t{256} << 10U;

// Invalid for an empty command, one that is too long, and one with a NUL in it.
Result<std::string> encode_request(std::string_view command);

// A reply comes in packets; its error stands in the first one only.
class Reply {
 public:
  // Takes one packet; true when it was the last. Invalid for a malformed packet.
  Result<bool> add(std::string_view packet);
  bool failed() const { return failed_; }
  const std::string& text() const { return text_; }

 private:
  bool first_ = true;
  bool failed_ = false;
  std::string text_;
};

struct Notification {
  enum class Type : std::uint32_t { Socket = 0, Panic = 1, Hang = 2, User = 3 };
  Type type = Type::Socket;
  std::string text;
};

Result<Notification> decode_notification(std::string_view packet);

}  // namespace umlfarm::guest::mconsole

#include "guest/mconsole/protocol.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace umlfarm::guest::mconsole {
namespace {

constexpr std::uint32_t kMagic = 0xcafebabe;
constexpr std::uint32_t kVersion = 2;
constexpr std::size_t kMostData = 512;

template <std::size_t N>
Result<std::array<std::uint32_t, N>> words(std::string_view packet) {
  std::array<std::uint32_t, N> values{};
  if (packet.size() < sizeof values) {
    return Error(Kind::Invalid,
                 "management console: a packet of " + std::to_string(packet.size()) + " bytes");
  }
  std::memcpy(values.data(), packet.data(), sizeof values);
  return values;
}

// The announced length, never more than the packet holds, without the NUL that some kernels count.
std::string_view payload(std::string_view packet, std::size_t header, std::uint32_t length) {
  std::string_view data = packet.substr(header);
  data = data.substr(0, std::min<std::size_t>({data.size(), length, kMostData}));
  return data.substr(0, data.find('\0'));
}

}  // namespace

Result<std::string> encode_request(std::string_view command) {
  if (command.empty() || command.size() > kMostCommand || command.find('\0') != std::string_view::npos) {
    return Error(Kind::Invalid, "management console command of " + std::to_string(command.size()) +
                                    " bytes: must be 1 to 511 bytes without NUL");
  }
  const std::array<std::uint32_t, 3> header{kMagic, kVersion, static_cast<std::uint32_t>(command.size())};
  std::string packet(sizeof header, '\0');
  std::memcpy(packet.data(), header.data(), sizeof header);
  return packet.append(command);
}

Result<bool> Reply::add(std::string_view packet) {
  UMLFARM_ASSIGN(const auto header, words<3>(packet));
  if (first_) failed_ = header[0] != 0;
  first_ = false;
  text_ += payload(packet, sizeof header, header[2]);
  if (text_.size() > kMostReply) text_.resize(kMostReply);
  return header[1] == 0 || text_.size() == kMostReply;
}

Result<Notification> decode_notification(std::string_view packet) {
  UMLFARM_ASSIGN(const auto header, words<4>(packet));
  if (header[0] != kMagic || header[2] > static_cast<std::uint32_t>(Notification::Type::User)) {
    return Error(Kind::Invalid, "management console: not a notification");
  }
  return Notification{static_cast<Notification::Type>(header[2]),
                      std::string(payload(packet, sizeof header, header[3]))};
}

}  // namespace umlfarm::guest::mconsole

#include "provisioner/daemon/guest_memory.h"

#include <algorithm>
#include <charconv>

namespace umlfarm::daemon {
namespace {

// A guest does nothing else while it plugs: some 5 us a page.
constexpr std::uint64_t kMostAtOnce = ByteSize::mib(256).bytes();
// Asking for less than this is not worth another round.
constexpr std::uint64_t kProgress = ByteSize::kib(64).bytes();
constexpr unsigned kPatience = 8;
constexpr std::uint64_t kPage = 4096;
// With less than this a guest can't start a process.
constexpr std::uint64_t kLeave = ByteSize::mib(4).bytes();
constexpr std::uint64_t kLeavePart = 32;

// Of a line such as "MemAvailable:   104156 kB"; zero where there is none.
std::uint64_t meminfo(const std::string& text, std::string_view label) {
  const std::size_t at = text.find(label);
  const std::size_t digits = at == std::string::npos ? at : text.find_first_not_of(' ', at + label.size());
  std::uint64_t kib = 0;
  if (digits != std::string::npos) std::from_chars(text.data() + digits, text.data() + text.size(), kib);
  return kib * 1024;
}

}  // namespace

Result<ByteSize> GuestMemory::size() const {
  UMLFARM_ASSIGN(const std::string text, ask_("config mem"));
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || bytes == 0) {
    return Error(Kind::Internal, "the guest's kernel does not tell its memory: '" + text.substr(0, 40) + "'");
  }
  return ByteSize(bytes);
}

std::uint64_t GuestMemory::spare(ByteSize wanted) const {
  const auto text = ask_("proc meminfo");
  if (!text) return 0;
  const std::uint64_t has = meminfo(*text, "MemAvailable:") + meminfo(*text, "SwapFree:");
  const std::uint64_t leave = kLeave + wanted.bytes() / kLeavePart;
  return has > leave ? (has - leave) / kPage * kPage : 0;
}

Result<ByteSize> GuestMemory::set(ByteSize wanted) const {
  UMLFARM_ASSIGN(ByteSize now, size());
  for (unsigned stuck = 0; now != wanted && stuck < kPatience;) {
    const bool grow = now < wanted;
    const std::uint64_t missing = grow ? wanted.bytes() - now.bytes() : now.bytes() - wanted.bytes();
    const std::uint64_t step = std::min({missing, kMostAtOnce, grow ? missing : spare(wanted)});
    if (step == 0) break;
    // It may give a part of what is asked, and call that an error: how much there is then says more.
    (void)ask_(std::string("config mem=") + (grow ? "+" : "-") + std::to_string(step));
    UMLFARM_ASSIGN(const ByteSize next, size());
    const std::uint64_t moved = next > now ? next.bytes() - now.bytes() : now.bytes() - next.bytes();
    stuck = moved < std::min(step, kProgress) ? stuck + 1 : 0;
    now = next;
    if (moved < step) rest_();
  }
  return now;
}

}  // namespace umlfarm::daemon

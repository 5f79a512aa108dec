#include "provisioner/daemon/guest_memory.h"

#include <algorithm>
#include <charconv>

#include "provisioner/base/printable.h"
#include "quota/limits.h"
#include "quota/meminfo.h"

namespace umlfarm::daemon {
namespace {

constexpr std::uint64_t kPage = 4096;
// A guest does nothing else while it plugs: some 5 us a page.
constexpr std::uint64_t kMostAtOnce = ByteSize::mib(256).bytes();
// Asking for less than this is not worth another round.
constexpr std::uint64_t kProgress = ByteSize::kib(64).bytes();
constexpr unsigned kPatience = 8;
// With less than this a guest can't start a process.
constexpr std::uint64_t kLeave = ByteSize::mib(4).bytes();
constexpr std::uint64_t kLeavePart = 32;

// Zero where there is no such line; never more than a guest can have.
std::uint64_t meminfo(const std::string& text, std::string_view label) {
  const std::uint64_t kib = quota::meminfo_kib(text, label).value_or(0);
  return std::min(kib, quota::kMostMemory.bytes() / 1024) * 1024;
}

std::uint64_t towards(ByteSize from, ByteSize wanted, ByteSize to) {
  if (wanted > from) return to > from ? to.bytes() - from.bytes() : 0;
  return to < from ? from.bytes() - to.bytes() : 0;
}

}  // namespace

Result<ByteSize> GuestMemory::size() const {
  UMLFARM_ASSIGN(const std::string text, ask_("config mem"));
  std::uint64_t bytes = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bytes);
  if (error != std::errc() || bytes == 0 || bytes % kPage != 0 || bytes > quota::kMostMemory.bytes()) {
    return Error(Kind::Internal,
                 "the guest's kernel does not tell its memory: '" + printable(text.substr(0, 40)) + "'");
  }
  return ByteSize(bytes);
}

Result<ByteSize> GuestMemory::not_missed() const {
  UMLFARM_ASSIGN(const ByteSize now, size());
  UMLFARM_ASSIGN(const std::string text, ask_("proc meminfo"));
  const std::uint64_t has = std::min(meminfo(text, "MemAvailable"), now.bytes());
  const std::uint64_t leave = kLeave + now.bytes() / kLeavePart;
  return ByteSize(has > leave ? (has - leave) / kPage * kPage : 0);
}

std::uint64_t GuestMemory::spare(ByteSize wanted) const {
  const auto text = ask_("proc meminfo");
  if (!text) return 0;
  const std::uint64_t has = meminfo(*text, "MemAvailable") + meminfo(*text, "SwapFree");
  const std::uint64_t leave = kLeave + wanted.bytes() / kLeavePart;
  return has > leave ? (has - leave) / kPage * kPage : 0;
}

Result<ByteSize> GuestMemory::set(ByteSize wanted) const {
  UMLFARM_ASSIGN(ByteSize now, size());
  const ByteSize begun = now;
  for (unsigned stuck = 0; now != wanted && stuck < kPatience;) {
    const bool grow = now < wanted;
    const std::uint64_t missing = towards(now, wanted, wanted);
    const std::uint64_t step = std::min({missing, kMostAtOnce, grow ? missing : spare(wanted)});
    if (step == 0) break;
    // It may give a part of what is asked, and call that an error: how much there is then says more.
    (void)ask_(std::string("config mem=") + (grow ? "+" : "-") + std::to_string(step));
    UMLFARM_ASSIGN(const ByteSize next, size());
    const std::uint64_t moved = towards(now, wanted, next);
    stuck = moved < std::min(step, kProgress) ? stuck + 1 : 0;
    // Whatever it says, it is on the way from where it began to what is wanted, and not back again.
    if (moved != 0) now = std::clamp(next, std::min(begun, wanted), std::max(begun, wanted));
    if (now != wanted && !rest_(moved == step)) break;
  }
  return now;
}

}  // namespace umlfarm::daemon

// Bits a second, as networks count.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm {

class BitRate {
 public:
  constexpr BitRate() = default;
  constexpr explicit BitRate(std::uint64_t bits) : bits_(bits) {}
  static constexpr BitRate mbit(std::uint64_t n) { return BitRate(n * 1'000'000); }

  // As tc(8) writes it: a whole number and bit, kbit, mbit, gbit or tbit, powers of 1000; capitals are the
  // same. Invalid for anything else, and for 2^63 or more.
  static Result<BitRate> parse(std::string_view text);

  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint64_t bytes() const { return bits_ / 8; }
  // The largest unit that divides it exactly, such as "10 mbit".
  std::string str() const;

  // NOLINTNEXTLINE(modernize-use-nullptr): there is a zero in what it stands for
  friend constexpr auto operator<=>(const BitRate&, const BitRate&) = default;

 private:
  std::uint64_t bits_ = 0;
};

}  // namespace umlfarm

// An amount of bytes, as people write it and as programs count it.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm {

class ByteSize {
 public:
  constexpr ByteSize() = default;
  constexpr explicit ByteSize(std::uint64_t bytes) : bytes_(bytes) {}
  static constexpr ByteSize kib(std::uint64_t n) { return ByteSize(n << 10U); }
  static constexpr ByteSize mib(std::uint64_t n) { return ByteSize(n << 20U); }
  static constexpr ByteSize gib(std::uint64_t n) { return ByteSize(n << 30U); }

  // Accepts a whole number with an optional unit: "512M", "512MiB", "20 GiB", "1048576".
  // K, M, G and T are powers of 1024, as in every tool of this field. Invalid for signs, fractions, unknown
  // units and amounts of 2^63 bytes or more (they must fit off_t).
  static Result<ByteSize> parse(std::string_view text);

  constexpr std::uint64_t bytes() const { return bytes_; }
  // The largest unit that divides it exactly, such as "512 MiB"; never loses a byte.
  std::string str() const;

  // NOLINTNEXTLINE(modernize-use-nullptr): there is a zero in what it stands for
  friend constexpr auto operator<=>(const ByteSize&, const ByteSize&) = default;
  friend constexpr ByteSize operator+(ByteSize a, ByteSize b) { return ByteSize(a.bytes_ + b.bytes_); }

 private:
  std::uint64_t bytes_ = 0;
};

// Rounded to three digits for people, such as "9.7 GiB".
std::string human_size(std::uint64_t bytes);

}  // namespace umlfarm

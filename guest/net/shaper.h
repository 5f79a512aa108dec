// Holds a tap to a rate each way, by the kernel's token bucket (tc-tbf(8)): to the guest at the tap itself,
// from it at a device of its own that what it sends is led through (ifb). In the namespace of the thread that
// opened it.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "provisioner/base/bit_rate.h"
#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

struct nl_sock;

namespace umlfarm::guest {

struct Shape {
  BitRate in;  // to the guest; zero: all there is
  BitRate out;
  ByteSize burst;  // passes at once after a rest; of it, at most what takes 4 seconds
};

// The tap that this device is there for; empty for any other.
std::string shaped_tap(const std::string& device);

class Shaper {
 public:
  static Result<Shaper> open();

  // Idempotent, and changes what is there without a gap.
  Status shape(const std::string& tap, const Shape& shape);
  // Takes away what outlives the tap. Idempotent.
  Status forget(const std::string& tap);
  // The same for all taps but these.
  Status keep_only(const std::set<std::string>& taps);

 private:
  using Socket = std::unique_ptr<nl_sock, void (*)(nl_sock*)>;
  explicit Shaper(Socket socket) : socket_(std::move(socket)) {}
  Status limit(const std::string& device, BitRate rate, ByteSize burst);
  Status lead_through(const std::string& tap, const std::string& device);

  Socket socket_;
};

}  // namespace umlfarm::guest

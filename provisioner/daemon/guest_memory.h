// Takes memory out of a running guest and gives it back, through its kernel's management console. What the
// guest says is its word; what the host holds of its memory is for the caller to compare.
#pragma once

#include <functional>
#include <string>

#include "provisioner/base/byte_size.h"
#include "provisioner/base/result.h"

namespace umlfarm::daemon {

class GuestMemory {
 public:
  // Sends a command, and returns the answer's text or the guest's error.
  using Ask = std::function<Result<std::string>(const std::string& command)>;
  // Called between two rounds: waits for a moment in which the guest can find pages to give, unless the last
  // one was done in full; false when it has taken long enough.
  using Rest = std::function<bool(bool done)>;
  GuestMemory(Ask ask, Rest rest) : ask_(std::move(ask)), rest_(std::move(rest)) {}

  // What the guest has. Internal for an answer that is no size.
  Result<ByteSize> size() const;
  // What is free in it, or only cached, but for a little to go on with. By its word.
  Result<ByteSize> not_missed() const;
  // Goes towards `wanted` until it is reached or the guest has no more to spare, and returns what it has
  // then. A guest lets go of pages that are free, and frees what it only cached a little later: so it is
  // asked for as long as that helps. It keeps a little to go on with.
  Result<ByteSize> set(ByteSize wanted) const;

 private:
  // What the guest says that it could do without. It is for its own good, so that it is believed.
  std::uint64_t spare(ByteSize wanted) const;

  Ask ask_;
  Rest rest_;
};

}  // namespace umlfarm::daemon

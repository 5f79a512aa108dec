#include "guest/supervisor/console.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace umlfarm::guest {
namespace {

constexpr std::uint64_t kLogHalf = std::uint64_t{512} << 10U;
constexpr std::size_t kTail = 4096;
constexpr std::size_t kAtOnce = 65536;

}  // namespace

Result<Console> Console::open(const std::string& log_file) {
  UMLFARM_ASSIGN(LogRing log, LogRing::open(log_file, kLogHalf));
  UniqueFd master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  if (!master) return system_error("open a pseudo terminal");
  if (::unlockpt(master.get()) < 0) return system_error("unlockpt");
  UniqueFd slave(::ioctl(master.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!slave) return system_error("open the pseudo terminal's slave");
  Console console(std::move(master), std::move(slave), std::move(log));
  console.resize(24, 80);
  return console;
}

std::string Console::take_output() {
  std::string output;
  std::array<char, 4096> buffer;
  while (output.size() < kAtOnce) {
    const std::size_t room = std::min(buffer.size(), kAtOnce - output.size());
    const ssize_t size = ::read(master_.get(), buffer.data(), room);
    if (size <= 0) break;
    output.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (output.empty()) return output;
  log_.write(output);
  tail_ += output;
  if (tail_.size() > kTail) tail_.erase(0, tail_.size() - kTail);
  return output;
}

std::size_t Console::give_input(std::string_view data) {
  const ssize_t written = ::write(master_.get(), data.data(), data.size());
  return written < 0 ? 0 : static_cast<std::size_t>(written);
}

void Console::resize(std::uint16_t rows, std::uint16_t columns) {
  const winsize size{rows, columns, 0, 0};
  (void)::ioctl(master_.get(), TIOCSWINSZ, &size);
}

}  // namespace umlfarm::guest

#include "provisioner/cli/raw_terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace umlfarm::cli {

RawTerminal::RawTerminal() {
  termios mode{};
  if (::tcgetattr(0, &mode) < 0) return;
  before_ = mode;
  ::cfmakeraw(&mode);
  ::tcsetattr(0, TCSADRAIN, &mode);
}

RawTerminal::~RawTerminal() {
  if (before_) ::tcsetattr(0, TCSADRAIN, &*before_);
}

std::string terminal_size() {
  winsize size{};
  if (::ioctl(0, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return "{\"rows\":" + std::to_string(size.ws_row) + ",\"cols\":" + std::to_string(size.ws_col) + "}";
}

}  // namespace umlfarm::cli

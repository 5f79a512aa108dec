// The caller's terminal, passing every key through as it is typed.
#pragma once

#include <termios.h>

#include <optional>
#include <string>

namespace umlfarm::cli {

// Raw from construction to destruction where standard input is a terminal; nothing otherwise.
class RawTerminal {
 public:
  RawTerminal();
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal();

  bool present() const { return before_.has_value(); }

 private:
  std::optional<termios> before_;
};

// {"rows":..,"cols":..} of the terminal; empty where there is none.
std::string terminal_size();

}  // namespace umlfarm::cli

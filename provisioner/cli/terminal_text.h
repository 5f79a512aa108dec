// Text that a guest wrote, as it may reach a person's terminal.
#pragma once

#include <string>
#include <string_view>

namespace umlfarm::cli {

// Lets through what is printable, UTF-8 included, with tabs and line ends; takes out control characters and
// escape sequences, by which a guest could type, rename and redraw on the terminal of whoever looks. Text may
// come in pieces cut anywhere.
class TerminalText {
 public:
  std::string filter(std::string_view text);

 private:
  enum class State { Plain, Escape, Sequence, String };
  void plain(char c, std::string& shown);

  State state_ = State::Plain;
  std::string character_;  // the bytes so far of one in UTF-8
  unsigned missing_ = 0;   // of its bytes
};

// What to write to descriptor `fd`: the text itself unless a terminal is there.
std::string for_descriptor(int fd, std::string_view text);

}  // namespace umlfarm::cli

#include "provisioner/cli/terminal_text.h"

#include <unistd.h>

namespace umlfarm::cli {
namespace {

constexpr char kEscape = 0x1b;

unsigned continuation_bytes(unsigned char first) {
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  if (first >= 0xf0 && first < 0xf5) return 3;
  return 0;
}

// U+0080 to U+009F are control characters too.
bool is_control(const std::string& character) {
  return character.size() == 2 && character[0] == '\xc2' && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string TerminalText::filter(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    switch (state_) {
      case State::Plain:
        plain(c, shown);
        break;
      case State::Escape:
        if (c == '[') {
          state_ = State::Sequence;
        } else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_') {
          state_ = State::String;
        } else if (c < ' ' || c > '/') {
          state_ = State::Plain;
        }
        break;
      case State::Sequence:
        if (c >= '@' || c < ' ') state_ = State::Plain;
        break;
      case State::String:
        // To BEL, or to ESC \; a line's end is a way out for one that never ends.
        if (c == '\a' || c == '\n') state_ = State::Plain;
        if (c == kEscape) state_ = State::Escape;
        break;
    }
  }
  return shown;
}

void TerminalText::plain(char c, std::string& shown) {
  const auto byte = static_cast<unsigned char>(c);
  if (missing_ > 0) {
    if ((byte & 0xc0U) == 0x80) {
      character_ += c;
      if (--missing_ == 0 && !is_control(character_)) shown += character_;
      return;
    }
    missing_ = 0;
    shown += '?';
  }
  if (c == kEscape) {
    state_ = State::Escape;
  } else if (c == '\n' || c == '\t' || (byte >= ' ' && byte < 0x7f)) {
    shown += c;
  } else if (byte >= 0x80) {
    missing_ = continuation_bytes(byte);
    character_ = c;
    if (missing_ == 0) shown += '?';
  }
}

std::string for_descriptor(int fd, std::string_view text) {
  return ::isatty(fd) == 1 ? TerminalText().filter(text) : std::string(text);
}

}  // namespace umlfarm::cli

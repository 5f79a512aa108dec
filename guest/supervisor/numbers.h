// Numbers as text, in a supervisor's arguments and answers.
#pragma once

#include <charconv>
#include <string>
#include <string_view>
#include <vector>

namespace umlfarm::guest {

// False when the text is not a number of the type's range, and nothing else.
template <typename Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

// "0,2"; empty for none.
inline bool read_numbers(std::string_view text, std::vector<int>& numbers) {
  numbers.clear();
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    if (!read_number(text.substr(0, comma), numbers.emplace_back())) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
    if (text.empty()) return false;
  }
  return true;
}

inline std::string to_text(const std::vector<int>& numbers) {
  std::string text;
  for (const int number : numbers) text += (text.empty() ? "" : ",") + std::to_string(number);
  return text;
}

}  // namespace umlfarm::guest

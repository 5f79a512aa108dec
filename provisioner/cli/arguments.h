// A verb's options and positional arguments, by Boost.Program_options. Pure.
#pragma once

#include <boost/program_options.hpp>
#include <string>
#include <vector>

namespace umlfarm::cli {

struct Parsed {
  boost::program_options::variables_map options;
  std::vector<std::string> words;  // what is no option

  bool has(const std::string& name) const { return options.count(name) != 0 && !options[name].defaulted(); }
  bool flag(const std::string& name) const { return options[name].as<bool>(); }
  std::string text(const std::string& name) const {
    return options.count(name) == 0 ? "" : options[name].as<std::string>();
  }
  std::vector<std::string> texts(const std::string& name) const {
    return options.count(name) == 0 ? std::vector<std::string>()
                                    : options[name].as<std::vector<std::string>>();
  }
};

// Throws boost::program_options::error unless there are `least` to `most` words.
Parsed parse(const std::vector<std::string>& arguments,
             const boost::program_options::options_description& options, std::size_t least, std::size_t most);

// Options end at the first word: what follows belongs to another program. A "--" right after it is dropped.
Parsed parse_leading(const std::vector<std::string>& arguments,
                     const boost::program_options::options_description& options, std::size_t least);

// A wrong use that program_options knows nothing of.
[[noreturn]] void wrong_use(const std::string& what);

// Seconds of an option such as --timeout, in milliseconds; throws for what is not 0 to 86400.
std::int64_t milliseconds(const std::string& option, const std::string& seconds);

}  // namespace umlfarm::cli

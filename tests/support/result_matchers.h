// Matchers for Result and Status: a failing test prints the whole chain of context.
#pragma once

#include <gmock/gmock.h>

#include <ostream>

#include "provisioner/base/result.h"

namespace umlfarm {

template <typename T>
void PrintTo(const Result<T>& result, std::ostream* out) {
  if (result) {
    *out << "a value";
  } else {
    *out << kind_name(result.error().kind()) << ": " << result.error().message();
  }
}

namespace testing {

MATCHER(is_ok, "is a value") { return arg.has_value(); }

MATCHER_P2(is_error, kind, text, "is an error of that kind that names the text") {
  return !arg.has_value() && arg.error().kind() == kind &&
         arg.error().message().find(text) != std::string::npos;
}

}  // namespace testing
}  // namespace umlfarm

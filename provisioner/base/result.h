// Result<T>: a value or an Error, with the member names of std::expected so that it can become an alias
// later.
//
// Libraries return errors and never log them. Code branches on Error::kind() only; the text is for people:
// it says what was tried, on what, why it failed and what to do.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <variant>

namespace umlfarm {

enum class Kind { NotFound, Invalid, Conflict, QuotaExceeded, Denied, Unavailable, Timeout, Internal };

// The kind's name in the API and in JSON output, such as "quota_exceeded".
std::string_view kind_name(Kind kind);
// The inverse of kind_name; Internal for a name that is not known (a newer peer).
Kind kind_from_name(std::string_view name);
// The process exit code of a kind: 3 to 10, so that 1 (crash) and 2 (usage) stay free.
int exit_code(Kind kind);
// The HTTP status of a kind.
int http_status(Kind kind);

class [[nodiscard]] Error {
 public:
  Error(Kind kind, std::string message) : kind_(kind), message_(std::move(message)) {}
  Error(Kind kind, std::error_code code, std::string message)
      : kind_(kind), code_(code), message_(std::move(message)) {}

  Kind kind() const { return kind_; }
  // The operating system's reason where there was one; empty otherwise.
  std::error_code code() const { return code_; }
  // The whole chain, outermost context first: "create alice: open /x: Permission denied".
  std::string message() const { return code_ ? message_ + ": " + code_.message() : message_; }
  // Puts what was being done in front of the message.
  Error context(std::string_view what) && {
    message_ = std::string(what) + ": " + message_;
    return std::move(*this);
  }

 private:
  Kind kind_;
  std::error_code code_;
  std::string message_;
};

// An Error from errno (or the given value), its kind derived from it: ENOENT is NotFound, EEXIST Conflict,
// EACCES and EPERM Denied, ENOSPC and EDQUOT QuotaExceeded, ETIMEDOUT Timeout, EINVAL Invalid, else Internal.
Error system_error(std::string what, int errno_value);
Error system_error(std::string what);

template <typename T>
class [[nodiscard]] Result {
 public:
  using value_type = T;

  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit by design
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

  template <typename U>
  T value_or(U&& fallback) const& {
    return has_value() ? value() : static_cast<T>(std::forward<U>(fallback));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  using value_type = void;

  Result() = default;
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit by design

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<std::monostate, Error> state_;
};

using Status = Result<void>;

}  // namespace umlfarm

#define UMLFARM_CONCAT_(a, b) a##b
#define UMLFARM_CONCAT(a, b) UMLFARM_CONCAT_(a, b)

// Returns the error of a Status or Result from the enclosing function.
#define UMLFARM_TRY(expression)                                \
  do {                                                         \
    if (auto umlfarm_status = (expression); !umlfarm_status) { \
      return std::move(umlfarm_status).error();                \
    }                                                          \
  } while (false)

// Declares `declaration` from a Result's value, or returns its error from the enclosing function.
#define UMLFARM_ASSIGN(declaration, expression) \
  UMLFARM_ASSIGN_(UMLFARM_CONCAT(umlfarm_result_, __LINE__), declaration, expression)
#define UMLFARM_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                            \
  if (!result) return std::move(result).error();         \
  declaration = std::move(result).value()

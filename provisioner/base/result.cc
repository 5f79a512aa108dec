#include "provisioner/base/result.h"

#include <array>
#include <cerrno>

namespace umlfarm {
namespace {

struct KindRow {
  Kind kind;
  std::string_view name;
  int exit_code;
  int http_status;
};

constexpr std::array<KindRow, 8> kKinds{{
    {Kind::NotFound, "not_found", 3, 404},
    {Kind::Invalid, "invalid", 4, 400},
    {Kind::Conflict, "conflict", 5, 409},
    {Kind::QuotaExceeded, "quota_exceeded", 6, 422},
    {Kind::Denied, "denied", 7, 403},
    {Kind::Unavailable, "unavailable", 8, 503},
    {Kind::Timeout, "timeout", 9, 504},
    {Kind::Internal, "internal", 10, 500},
}};

const KindRow& row(Kind kind) {
  for (const auto& entry : kKinds) {
    if (entry.kind == kind) return entry;
  }
  return kKinds.back();
}

Kind kind_from_errno(int value) {
  switch (value) {
    case ENOENT:
    case ENODEV:
    case ESRCH:
      return Kind::NotFound;
    case EEXIST:
    case EBUSY:
      return Kind::Conflict;
    case EACCES:
    case EPERM:
    case EROFS:
      return Kind::Denied;
    case ENOSPC:
    case EDQUOT:
      return Kind::QuotaExceeded;
    case ETIMEDOUT:
      return Kind::Timeout;
    case EINVAL:
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
      return Kind::Invalid;
    case ECONNREFUSED:
    case EAGAIN:
      return Kind::Unavailable;
    default:
      return Kind::Internal;
  }
}

}  // namespace

std::string_view kind_name(Kind kind) { return row(kind).name; }

Kind kind_from_name(std::string_view name) {
  for (const auto& entry : kKinds) {
    if (entry.name == name) return entry.kind;
  }
  return Kind::Internal;
}

int exit_code(Kind kind) { return row(kind).exit_code; }
int http_status(Kind kind) { return row(kind).http_status; }

Error system_error(std::string what, int errno_value) {
  return {kind_from_errno(errno_value), std::error_code(errno_value, std::generic_category()),
          std::move(what)};
}

Error system_error(std::string what) { return system_error(std::move(what), errno); }

}  // namespace umlfarm

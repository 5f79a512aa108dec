// Names that people choose and identifiers that the farm gives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm {

// A guest's, plan's or tenant's name: 1 to 40 characters of a-z, 0-9 and '-', beginning with a letter and not
// ending in '-'. It is a host name and a file name at once. Invalid with the rule and the value otherwise;
// `what` names the thing, such as "guest name".
Status check_name(std::string_view what, std::string_view name);

// A guest's identifier: "g" and a number that is never used twice in a farm, such as "g17". Short, because
// socket paths (107 bytes) and interface names (15 bytes) contain it.
std::string guest_id(std::int64_t number);

// `bytes` random bytes from the kernel as lower-case hexadecimal.
std::string random_hex(std::size_t bytes);

// SHA-256 of a file's content as lower-case hexadecimal.
Result<std::string> sha256_file(const std::string& path);
std::string sha256(std::string_view data);

}  // namespace umlfarm

// The places on a machine that can be changed, what stands there, and how it is put there. What a topic wants
// is a list of these, so that to apply, to verify and to undo is the same for all.
#pragma once

#include <compare>
#include <optional>
#include <string>

#include "hostsetup/machine.h"
#include "provisioner/base/result.h"

namespace umlfarm::hostsetup {

enum class Sort { File, Directory, Setting, Enabled, Running };

struct Place {
  Sort sort = Sort::File;
  std::string name;  // a path; of a unit its name
  friend auto operator<=>(const Place&, const Place&) = default;
};

// What stands at a place, as text; nothing where it is not there.
//   File       "0644 0:0" (mode, owner, group), a new line, the content; of a link "-> " and where it leads
//   Directory  "0755 0:0"
//   Setting    its value
//   Enabled    "enabled", "disabled" and what else systemctl says
//   Running    "active" or "inactive"
using Standing = std::optional<std::string>;

// Of root, as others may read it.
std::string file_standing(const std::string& content);

struct Change {
  Place place;
  Standing wanted;
};

std::string_view sort_name(Sort sort);
Result<Sort> sort_from_name(std::string_view name);

Result<Standing> look(const Machine& machine, const Place& place);
// Makes it so, or says why not. A directory that is to go stays while something is in it, which is Conflict.
Status put(const Machine& machine, const Place& place, const Standing& wanted);

}  // namespace umlfarm::hostsetup

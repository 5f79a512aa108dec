// What was before apply: written before each change, so that a run that is killed loses nothing of it.
#pragma once

#include <vector>

#include "hostsetup/place.h"

namespace umlfarm::hostsetup {

struct Entry {
  Place place;
  Standing before;
  Standing after;  // as apply put it, or was about to
  // As it was put before that: the run that was to change it may have been killed.
  std::optional<Standing> earlier = {};

  bool is_ours(const Standing& is) const { return is == after || (earlier && is == *earlier); }
};

// In the order of the first change of each; undo goes backwards.
using Record = std::vector<Entry>;

inline constexpr const char* kRecordDirectory = "/var/lib/umlfarm-hostsetup";

// Empty where there is none. Invalid, with its path, where it cannot be understood.
Result<Record> load_record(const Machine& machine);
// Durable when it returns. An empty one goes, and its directory with it.
Status save_record(const Machine& machine, const Record& record);

const Entry* find_entry(const Record& record, const Place& place);
// The record once `place`, at which `is` stands, is to become `wanted`. What others put there since is what
// was before.
Record noted(Record record, const Place& place, const Standing& is, const Standing& wanted);
Record without(Record record, const Place& place);

}  // namespace umlfarm::hostsetup

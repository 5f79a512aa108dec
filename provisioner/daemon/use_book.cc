#include "provisioner/daemon/use_book.h"

namespace umlfarm::daemon {

Status UseBook::add(const std::vector<GuestReading>& guests, const quota::Moment& at) {
  UMLFARM_ASSIGN(const UsesSeen before, store_.uses_seen(guests.size() == 1 ? guests[0].record.number : 0));
  std::vector<UseEntry> entries;
  UsesSeen seen;
  for (const auto& [record, reading] : guests) {
    const auto last = before.find(record.number);
    // It is gone since it was read.
    if (last == before.end()) continue;
    seen[record.number] = quota::seen(last->second, reading, at);
    const GuestIdentity& identity = record.identity;
    for (const auto& [hour, use] : quota::used_between(last->second, reading, at)) {
      // Counted twice at the same moment, the second time is of nothing.
      if (use == quota::Use()) continue;
      entries.push_back(
          {hour, record.number, identity.plan, record.name, identity.tenant, identity.user, use});
    }
  }
  return store_.add_uses(entries, seen);
}

}  // namespace umlfarm::daemon

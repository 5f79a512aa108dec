#include "provisioner/daemon/guest_table.h"

namespace umlfarm::daemon {

Status GuestTable::load() {
  UMLFARM_ASSIGN(std::vector<GuestRecord> records, store_.guests());
  const std::lock_guard lock(mutex_);
  for (GuestRecord& record : records) guests_[record.number].guest.record = std::move(record);
  return {};
}

Result<std::vector<GuestRecord>> GuestTable::add(std::vector<GuestRecord> records,
                                                 const std::function<void(GuestRecord&)>& finish) {
  const std::lock_guard writing(writing_);
  UMLFARM_ASSIGN(std::vector<GuestRecord> added, store_.add_guests(std::move(records), finish));
  const std::lock_guard lock(mutex_);
  for (const GuestRecord& record : added) guests_[record.number].guest.record = record;
  return added;
}

Status GuestTable::update(std::int64_t number, const std::function<void(GuestRecord&)>& change) {
  const std::lock_guard writing(writing_);
  const std::optional<Guest> found = find(number);
  if (!found) return Error(Kind::NotFound, "guest " + guest_id(number) + " is gone");
  GuestRecord changed = found->record;
  change(changed);
  UMLFARM_TRY(store_.update_guest(changed));
  const std::lock_guard lock(mutex_);
  guests_[number].guest.record = std::move(changed);
  return {};
}

Status GuestTable::forget(std::int64_t number) {
  const std::lock_guard writing(writing_);
  UMLFARM_TRY(store_.remove_guest(number));
  const std::lock_guard lock(mutex_);
  guests_.erase(number);
  return {};
}

void GuestTable::update_live(std::int64_t number, const std::function<void(Live&)>& change) {
  const std::lock_guard lock(mutex_);
  if (const auto found = guests_.find(number); found != guests_.end()) change(found->second.guest.live);
}

bool GuestTable::begin_work(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(number);
  if (found == guests_.end()) return false;
  if (found->second.guest.live.busy) {
    found->second.again = true;
    return false;
  }
  found->second.guest.live.busy = true;
  return true;
}

bool GuestTable::end_work(std::int64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(number);
  if (found == guests_.end()) return true;
  if (std::exchange(found->second.again, false)) return false;
  found->second.guest.live.busy = false;
  return true;
}

std::optional<Guest> GuestTable::find(std::int64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = guests_.find(number);
  if (found == guests_.end()) return {};
  return found->second.guest;
}

Result<Guest> GuestTable::find(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [number, entry] : guests_) {
    if (entry.guest.record.name == name) return entry.guest;
  }
  return Error(Kind::NotFound, "no guest '" + name + "'; 'umlfarm list' shows those that there are");
}

std::vector<Guest> GuestTable::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Guest> guests;
  guests.reserve(guests_.size());
  for (const auto& [number, entry] : guests_) guests.push_back(entry.guest);
  return guests;
}

std::vector<GuestRecord> GuestTable::records() const {
  const std::lock_guard lock(mutex_);
  std::vector<GuestRecord> records;
  records.reserve(guests_.size());
  for (const auto& [number, entry] : guests_) records.push_back(entry.guest.record);
  return records;
}

}  // namespace umlfarm::daemon

#include "provisioner/daemon/guest_table.h"

namespace umlfarm::daemon {

namespace {

quota::Sums sums_of(const std::vector<GuestRecord>& records) {
  quota::Sums sums;
  for (const GuestRecord& record : records) {
    for (const auto& [account, amounts] : charges_of(record)) {
      sums[account] = quota::plus(sums[account], amounts);
    }
  }
  return sums;
}

// What `a` charges beyond what `b` does, account by account.
quota::Sums beyond(const quota::Sums& a, const quota::Sums& b) {
  quota::Sums more;
  for (const auto& [account, amounts] : a) {
    const auto found = b.find(account);
    more[account] = found == b.end() ? amounts : quota::beyond(amounts, found->second);
  }
  return more;
}

}  // namespace

Result<std::string> GuestTable::load() {
  UMLFARM_ASSIGN(std::vector<GuestRecord> records, store_.guests());
  UMLFARM_ASSIGN(const quota::Sums kept, store_.sums());
  const quota::Sums counted = sums_of(records);
  std::string differs = quota::difference(kept, counted);
  if (!differs.empty()) UMLFARM_TRY(store_.set_sums(counted));
  ledger_.restore(counted);
  const std::lock_guard lock(mutex_);
  for (GuestRecord& record : records) guests_[record.number].guest.record = std::move(record);
  return differs;
}

Result<std::vector<GuestRecord>> GuestTable::add(std::vector<GuestRecord> records,
                                                 const quota::AccountBounds& bounds,
                                                 const std::function<void(GuestRecord&)>& finish) {
  const std::lock_guard writing(writing_);
  UMLFARM_ASSIGN(quota::Reservation promised, ledger_.reserve(sums_of(records), bounds));
  UMLFARM_ASSIGN(std::vector<GuestRecord> added, store_.add_guests(std::move(records), finish));
  promised.commit();
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
  return write(found->record, std::move(changed));
}

Status GuestTable::write(const GuestRecord& before, GuestRecord after) {
  UMLFARM_TRY(store_.update_guest(before, after));
  const std::lock_guard lock(mutex_);
  guests_[after.number].guest.record = std::move(after);
  return {};
}

Status GuestTable::resize(std::int64_t number, const quota::AccountBounds& bounds,
                          const std::function<void(GuestRecord&)>& change) {
  const std::lock_guard writing(writing_);
  const std::optional<Guest> found = find(number);
  if (!found) return Error(Kind::NotFound, "guest " + guest_id(number) + " is gone");
  GuestRecord changed = found->record;
  change(changed);
  const quota::Sums was = charges_of(found->record);
  const quota::Sums is = charges_of(changed);
  UMLFARM_ASSIGN(quota::Reservation more, ledger_.reserve(beyond(is, was), bounds));
  UMLFARM_TRY(write(found->record, std::move(changed)));
  more.commit();
  return ledger_.release(beyond(was, is));
}

Status GuestTable::forget(std::int64_t number) {
  const std::lock_guard writing(writing_);
  const std::optional<Guest> found = find(number);
  if (!found) return {};
  UMLFARM_TRY(store_.remove_guest(found->record));
  {
    const std::lock_guard lock(mutex_);
    guests_.erase(number);
  }
  return ledger_.release(charges_of(found->record));
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

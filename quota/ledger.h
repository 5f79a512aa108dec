// What has been promised: a sum for the host, for each tenant and for each user, over all guests that exist,
// whatever their state: a stopped guest keeps its promise.
//
// A promise is first reserved, then committed together with the guest, or given back. The guests are what
// counts: the sums are made from them when the farm comes up.
#pragma once

#include <mutex>
#include <utility>

#include "provisioner/base/result.h"
#include "quota/amounts.h"

namespace umlfarm::quota {

class Ledger;

// Counts against everybody from the moment it is made. Given back by its end unless it was committed. Does
// not outlive its ledger.
class Reservation {
 public:
  Reservation(Reservation&& other) noexcept
      : ledger_(std::exchange(other.ledger_, nullptr)), charges_(std::move(other.charges_)) {}
  Reservation& operator=(Reservation&&) = delete;
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  // The guest is on the disk: its promise stays.
  void commit() { ledger_ = nullptr; }

 private:
  friend class Ledger;
  Reservation(Ledger& ledger, Sums charges) : ledger_(&ledger), charges_(std::move(charges)) {}

  Ledger* ledger_;
  Sums charges_;
};

// Thread-safe.
class Ledger {
 public:
  // Begins anew from these sums. Nothing may be reserved meanwhile.
  void restore(Sums sums);

  // All charges or none. QuotaExceeded names the account, the resource, what was asked, what is left and the
  // way out.
  Result<Reservation> reserve(const Sums& charges, const AccountBounds& bounds);

  // Internal when more is given back than was promised: nothing is changed then, and the sums are wrong.
  Status release(const Sums& charges);

  Amounts of(const std::string& account) const;
  Sums sums() const;

 private:
  mutable std::mutex mutex_;
  Sums sums_;  // no entry is all zero
};

// Where two ledgers differ, for people; empty: nowhere.
std::string difference(const Sums& kept, const Sums& counted);

}  // namespace umlfarm::quota

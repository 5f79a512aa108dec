#include "quota/ledger.h"

#include <set>

#include "quota/cost.h"

namespace umlfarm::quota {
namespace {

std::string way_out(const std::string& account, Resource resource) {
  const std::string_view name = resource_name(resource);
  if (account == kHostAccount) {
    const std::string key = std::string(name) + "_percent";
    return "delete guests, choose a smaller plan, or promise more than the host has with " + key +
           " in umlfarm.toml; 'umlfarm host show' has the sum";
  }
  // "user physics/alice" is a matter of the tenant "physics".
  const std::size_t begin = account.find(' ') + 1;
  const std::string tenant = account.substr(begin, account.find('/') - begin);
  const char* const option = account.starts_with("user ") ? " --user-" : " --";
  return "delete guests, choose a smaller plan, or raise it with 'umlfarm tenant set " + tenant + option +
         std::string(name) + "'";
}

Status check(const std::string& account, const Amounts& promised, const Amounts& asked,
             const Bounds& bounds) {
  for (const Resource resource : kResources) {
    const std::uint64_t bound = bounds[resource];
    if (bound == kUnlimited || asked[resource] == 0) continue;
    const std::uint64_t left = bound > promised[resource] ? bound - promised[resource] : 0;
    if (asked[resource] <= left) continue;
    return Error(Kind::QuotaExceeded,
                 std::string(resource_name(resource)) + ": " + amount_text(resource, asked[resource]) +
                     " asked, " + (account == kHostAccount ? "the host" : account) + " has " +
                     amount_text(resource, left) + " of " + amount_text(resource, bound) + " left; " +
                     way_out(account, resource));
  }
  return {};
}

Amounts find(const Sums& sums, const std::string& account) {
  const auto found = sums.find(account);
  return found == sums.end() ? Amounts() : found->second;
}

}  // namespace

Reservation::~Reservation() {
  // It was added, so that it can be taken away.
  if (ledger_ != nullptr) (void)!ledger_->release(charges_);
}

void Ledger::restore(Sums sums) {
  const std::lock_guard lock(mutex_);
  sums_ = std::move(sums);
  std::erase_if(sums_, [](const auto& entry) { return entry.second == Amounts(); });
}

Result<Reservation> Ledger::reserve(const Sums& charges, const AccountBounds& bounds) {
  const std::lock_guard lock(mutex_);
  for (const auto& [account, amounts] : charges) {
    const auto bound = bounds.find(account);
    UMLFARM_TRY(
        check(account, find(sums_, account), amounts, bound == bounds.end() ? Bounds() : bound->second));
  }
  for (const auto& [account, amounts] : charges) {
    if (amounts != Amounts()) sums_[account] = plus(find(sums_, account), amounts);
  }
  return Reservation(*this, charges);
}

Status Ledger::release(const Sums& charges) {
  const std::lock_guard lock(mutex_);
  for (const auto& [account, amounts] : charges) {
    if (beyond(amounts, find(sums_, account)) == Amounts()) continue;
    return Error(Kind::Internal, "ledger: more is given back than " + account + " was promised");
  }
  for (const auto& [account, amounts] : charges) {
    const Amounts rest = beyond(find(sums_, account), amounts);
    if (rest == Amounts()) {
      sums_.erase(account);
    } else {
      sums_[account] = rest;
    }
  }
  return {};
}

Amounts Ledger::of(const std::string& account) const {
  const std::lock_guard lock(mutex_);
  return find(sums_, account);
}

Sums Ledger::sums() const {
  const std::lock_guard lock(mutex_);
  return sums_;
}

std::string difference(const Sums& kept, const Sums& counted) {
  std::set<std::string> accounts;
  for (const auto& [account, amounts] : kept) accounts.insert(account);
  for (const auto& [account, amounts] : counted) accounts.insert(account);
  std::string text;
  for (const std::string& account : accounts) {
    for (const Resource resource : kResources) {
      const std::uint64_t was = find(kept, account)[resource];
      const std::uint64_t is = find(counted, account)[resource];
      if (was == is) continue;
      text += (text.empty() ? "" : "; ") + account + ": " + std::string(resource_name(resource)) + " " +
              amount_text(resource, was) + " kept, " + amount_text(resource, is) + " by its guests";
    }
  }
  return text;
}

}  // namespace umlfarm::quota

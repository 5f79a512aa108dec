// The ledger's promise under any order of what can happen to it: reserve, commit, give back, change, release,
// a transaction that fails, a crash at any moment, and recovery from the guests.
#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <vector>

#include "quota/cost.h"
#include "quota/ledger.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using umlfarm::testing::is_ok;

struct Guest {
  Holder holder;
  Limits limits;
};

// What a disk is: guests and their sums, changed together or not at all.
struct Disk {
  std::map<int, Guest> guests;
  Sums sums;
};

void add(Sums& sums, const Sums& charges) {
  for (const auto& [account, amounts] : charges) sums[account] = plus(sums[account], amounts);
}

void take(Sums& sums, const Sums& charges) {
  for (const auto& [account, amounts] : charges) {
    ASSERT_EQ(beyond(amounts, sums[account]), Amounts()) << account << " goes below nothing";
    sums[account] = beyond(sums[account], amounts);
    if (sums[account] == Amounts()) sums.erase(account);
  }
}

Sums charges_of(const Guest& guest) { return quota::charges_of(guest.holder, guest.limits); }

Sums sums_of(const std::map<int, Guest>& guests) {
  Sums sums;
  for (const auto& [number, guest] : guests) add(sums, charges_of(guest));
  return sums;
}

class Farm {
 public:
  explicit Farm(unsigned seed) : random_(seed) {
    for (const char* const tenant : {"physics", "arts"}) {
      Bounds& most = bounds_[tenant_account(tenant)];
      most[Resource::Guests] = 12;
      most[Resource::Memory] = ByteSize::gib(2).bytes();
      for (const char* const user : {"alice", "bob"})
        bounds_[user_account({tenant, user})][Resource::Guests] = 4;
    }
    bounds_[kHostAccount][Resource::Memory] = ByteSize::gib(4).bytes();
    bounds_[kHostAccount][Resource::Disk] = ByteSize::gib(60).bytes();
    bounds_[kHostAccount][Resource::Processors] = 24;
  }

  void step() {
    switch (pick(8)) {
      case 0:
      case 1:
        return reserve();
      case 2:
      case 3:
        return commit();
      case 4:
        return give_back();
      case 5:
        return release();
      case 6:
        return resize();
      default:
        return pick(20) == 0 ? crash() : commit();
    }
  }

  void check() const {
    Sums expected = sums_of(disk_.guests);
    ASSERT_EQ(disk_.sums, expected) << "the disk's own sums";
    for (const auto& [number, pending] : pending_) add(expected, charges_of(pending.guest));
    ASSERT_EQ(ledger_.sums(), expected);
    for (const auto& [account, amounts] : ledger_.sums()) {
      const auto most = bounds_.find(account);
      const Bounds bounds = most == bounds_.end() ? Bounds() : most->second;
      ASSERT_EQ(beyond(amounts, bounds), Amounts()) << account;
    }
  }

  int refused() const { return refused_; }
  int crashes() const { return crashes_; }
  std::size_t guests() const { return disk_.guests.size(); }

 private:
  struct Pending {
    Guest guest;
    Reservation promised;
  };

  unsigned pick(unsigned below) { return std::uniform_int_distribution<unsigned>(0, below - 1)(random_); }
  template <typename Map>
  auto any(Map& map) {
    return std::next(map.begin(), static_cast<std::ptrdiff_t>(pick(static_cast<unsigned>(map.size()))));
  }

  Limits limits() {
    Limits made;
    made.memory = ByteSize::mib(16 + 4 * pick(100));
    made.disk = ByteSize::gib(1 + pick(8));
    made.swap = ByteSize::mib(64 * pick(3));
    made.processes = 16 + pick(500);
    made.processors = 1 + pick(4);
    return made;
  }

  void reserve() {
    constexpr const char* kUsers[] = {"alice", "bob", ""};
    const Guest guest{{pick(2) == 0 ? "physics" : "arts", kUsers[pick(3)]}, limits()};
    auto promised = ledger_.reserve(charges_of(guest), bounds_);
    if (!promised) {
      ++refused_;
      return;
    }
    pending_.emplace(++last_, Pending{guest, *std::move(promised)});
  }

  // The transaction: it may fail, and then nothing has happened.
  void commit() {
    if (pending_.empty()) return;
    const auto pending = any(pending_);
    if (pick(5) != 0) {
      disk_.guests[pending->first] = pending->second.guest;
      add(disk_.sums, charges_of(pending->second.guest));
      pending->second.promised.commit();
    }
    pending_.erase(pending);
  }

  void give_back() {
    if (!pending_.empty()) pending_.erase(any(pending_));
  }

  void release() {
    if (disk_.guests.empty()) return;
    const auto guest = any(disk_.guests);
    const Sums charges = charges_of(guest->second);
    disk_.guests.erase(guest);
    take(disk_.sums, charges);
    ASSERT_THAT(ledger_.release(charges), is_ok());
  }

  void resize() {
    if (disk_.guests.empty()) return;
    Guest& guest = any(disk_.guests)->second;
    const Guest changed{guest.holder, limits()};
    Sums more;
    Sums less;
    const Sums was = charges_of(guest);
    for (const auto& [account, amounts] : charges_of(changed)) {
      more[account] = beyond(amounts, was.at(account));
      less[account] = beyond(was.at(account), amounts);
    }
    auto promised = ledger_.reserve(more, bounds_);
    if (!promised) {
      ++refused_;
      return;
    }
    take(disk_.sums, was);
    add(disk_.sums, charges_of(changed));
    guest = changed;
    promised->commit();
    ASSERT_THAT(ledger_.release(less), is_ok());
  }

  // Memory is lost, with whatever was reserved; the disk stays as its last transaction left it.
  void crash() {
    pending_.clear();
    ++crashes_;
    ASSERT_EQ(difference(disk_.sums, sums_of(disk_.guests)), "");
    ledger_.restore(sums_of(disk_.guests));
  }

  std::mt19937 random_;
  AccountBounds bounds_;
  Disk disk_;
  Ledger ledger_;
  std::map<int, Pending> pending_;
  int last_ = 0;
  int refused_ = 0;
  int crashes_ = 0;
};

TEST(Ledger, HoldsOverAHundredThousandInterleavings) {
  std::size_t guests = 0;
  int refused = 0;
  int crashes = 0;
  for (unsigned seed = 1; seed <= 100; ++seed) {
    Farm farm(seed);
    for (int i = 0; i < 1000; ++i) {
      farm.step();
      farm.check();
      if (HasFatalFailure()) FAIL() << "seed " << seed << ", step " << i;
    }
    guests += farm.guests();
    refused += farm.refused();
    crashes += farm.crashes();
  }
  // That there was something to hold.
  EXPECT_GT(guests, 100U);
  EXPECT_GT(refused, 1000);
  EXPECT_GT(crashes, 100);
}

}  // namespace
}  // namespace umlfarm::quota

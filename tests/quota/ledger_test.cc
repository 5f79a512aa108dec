#include "quota/ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "quota/cost.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::quota {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using umlfarm::testing::is_error;
using umlfarm::testing::is_ok;

const Holder kAlice{"physics", "alice"};

Amounts amounts(std::uint64_t guests, std::uint64_t memory, std::uint64_t disk, std::uint64_t processors) {
  Amounts made;
  made[Resource::Guests] = guests;
  made[Resource::Memory] = memory;
  made[Resource::Disk] = disk;
  made[Resource::Processors] = processors;
  return made;
}

// A guest of 64 MiB, 1 GiB and one processor, as simple as that.
Sums guest_of(const Holder& holder) {
  const Amounts each = amounts(1, 64U << 20U, 1U << 30U, 1);
  Sums charges{{kHostAccount, each}, {tenant_account(holder.tenant), each}};
  if (!holder.user.empty()) charges[user_account(holder)] = each;
  return charges;
}

AccountBounds at_most(const std::string& account, Resource resource, std::uint64_t most) {
  AccountBounds bounds;
  bounds[account][resource] = most;
  return bounds;
}

TEST(Ledger, FillsEachLimitToTheLastGuestAndNoFurther) {
  for (const Resource resource : kResources) {
    const std::uint64_t each = guest_of(kAlice).at(kHostAccount)[resource];
    for (const std::string& account :
         {std::string(kHostAccount), tenant_account(kAlice.tenant), user_account(kAlice)}) {
      Ledger ledger;
      const AccountBounds bounds = at_most(account, resource, 10 * each + each - 1);
      for (int guest = 0; guest < 10; ++guest) {
        auto promised = ledger.reserve(guest_of(kAlice), bounds);
        ASSERT_THAT(promised, is_ok()) << account << guest;
        promised->commit();
      }
      const Sums full = ledger.sums();
      EXPECT_THAT(ledger.reserve(guest_of(kAlice), bounds),
                  is_error(Kind::QuotaExceeded, std::string(resource_name(resource)) + ": " +
                                                    amount_text(resource, each) + " asked"));
      EXPECT_EQ(ledger.sums(), full);
    }
  }
}

TEST(Ledger, SaysWhoseLimitItIsWhatIsLeftAndTheWayOut) {
  Ledger ledger;
  ledger.restore({{tenant_account("physics"), amounts(3, 3ULL << 30U, 0, 0)},
                  {user_account(kAlice), amounts(1, 1ULL << 30U, 0, 0)}});
  const auto refused = [&](const std::string& account) {
    const auto asked = ledger.reserve({{account, amounts(0, 2ULL << 30U, 0, 0)}},
                                      at_most(account, Resource::Memory, 4ULL << 30U));
    return asked ? std::string("not refused") : asked.error().message();
  };
  ledger.restore({{tenant_account("physics"), amounts(3, 3ULL << 30U, 0, 0)},
                  {user_account(kAlice), amounts(1, 3ULL << 30U, 0, 0)},
                  {kHostAccount, amounts(1, 3ULL << 30U, 0, 0)}});
  EXPECT_THAT(refused("tenant physics"), HasSubstr("2 GiB asked, tenant physics has 1 GiB of 4 GiB left"));
  EXPECT_THAT(refused("tenant physics"), HasSubstr("'umlfarm tenant set physics --memory'"));
  EXPECT_THAT(refused("user physics/alice"), HasSubstr("'umlfarm tenant set physics --user-memory'"));
  EXPECT_THAT(refused(kHostAccount), HasSubstr("the host has 1 GiB of 4 GiB left"));
  EXPECT_THAT(refused(kHostAccount), HasSubstr("memory_percent"));
}

TEST(Ledger, ChargesAllAccountsOrNone) {
  Ledger ledger;
  EXPECT_THAT(ledger.reserve(guest_of(kAlice), at_most(user_account(kAlice), Resource::Guests, 0)),
              is_error(Kind::QuotaExceeded, "user physics/alice"));
  EXPECT_EQ(ledger.sums(), Sums());
}

TEST(Ledger, CountsWhatIsReservedBeforeItIsCommitted) {
  Ledger ledger;
  const AccountBounds one = at_most(kHostAccount, Resource::Guests, 1);
  {
    const auto first = ledger.reserve(guest_of(kAlice), one);
    ASSERT_THAT(first, is_ok());
    EXPECT_THAT(ledger.reserve(guest_of(kAlice), one), is_error(Kind::QuotaExceeded, "guests"));
  }
  EXPECT_EQ(ledger.sums(), Sums()) << "what is not committed is given back";
  EXPECT_THAT(ledger.reserve(guest_of(kAlice), one), is_ok());
}

TEST(Ledger, KeepsRefusingWhenMoreIsPromisedThanThereIs) {
  Ledger ledger;
  ledger.restore({{kHostAccount, amounts(5, 0, 0, 0)}});
  EXPECT_THAT(ledger.reserve(guest_of(kAlice), at_most(kHostAccount, Resource::Guests, 3)),
              is_error(Kind::QuotaExceeded, "has 0 of 3 left"));
}

TEST(Ledger, GivesBackNoMoreThanWasPromised) {
  Ledger ledger;
  ledger.restore(guest_of(kAlice));
  Sums more = guest_of(kAlice);
  more["tenant physics"][Resource::Memory] += 1;
  EXPECT_THAT(ledger.release(more), is_error(Kind::Internal, "tenant physics"));
  EXPECT_EQ(ledger.sums(), guest_of(kAlice));
  EXPECT_THAT(ledger.release(guest_of(kAlice)), is_ok());
  EXPECT_THAT(ledger.release(guest_of(kAlice)), is_error(Kind::Internal, "host"));
}

TEST(Ledger, DoesNotOverflow) {
  Ledger ledger;
  const Sums huge{{kHostAccount, amounts(0, kUnlimited - 1, 0, 0)}};
  for (int i = 0; i < 3; ++i) {
    auto promised = ledger.reserve(huge, {});
    ASSERT_THAT(promised, is_ok());
    promised->commit();
  }
  EXPECT_EQ(ledger.of(kHostAccount)[Resource::Memory], kUnlimited);
  EXPECT_THAT(ledger.reserve(huge, at_most(kHostAccount, Resource::Memory, kUnlimited - 1)),
              is_error(Kind::QuotaExceeded, "0 B of"));
}

TEST(LedgerDifference, NamesAccountAndResource) {
  EXPECT_EQ(difference(guest_of(kAlice), guest_of(kAlice)), "");
  Sums kept = guest_of(kAlice);
  kept["tenant physics"][Resource::Disk] = 0;
  kept.erase("user physics/alice");
  const std::string text = difference(kept, guest_of(kAlice));
  EXPECT_THAT(text, HasSubstr("tenant physics: disk 0 B kept, 1 GiB by its guests"));
  EXPECT_THAT(text, HasSubstr("user physics/alice: guests 0 kept, 1 by its guests"));
  EXPECT_THAT(text, Not(HasSubstr("host")));
}

}  // namespace
}  // namespace umlfarm::quota

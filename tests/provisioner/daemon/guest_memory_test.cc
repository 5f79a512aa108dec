#include "provisioner/daemon/guest_memory.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <vector>

#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

// A kernel that has so much, of which so much is free, and frees more of what it cached while it is left
// alone.
class FakeGuest {
 public:
  std::uint64_t size = ByteSize::mib(256).bytes();
  std::uint64_t most = ByteSize::mib(256).bytes();
  std::uint64_t free = ByteSize::mib(256).bytes();
  std::uint64_t cached = 0;
  std::uint64_t swap = 0;
  std::uint64_t freed_at_a_time = ByteSize::mib(4).bytes();
  std::string answers_instead;
  int patience = 100;
  // What it says that it has, whatever it is asked for, by turns.
  std::vector<std::uint64_t> lies;
  std::vector<std::string> asked;

  GuestMemory memory() {
    return {[this](const std::string& command) { return answer(command); },
            [this](bool done) { return rest(done); }};
  }

 private:
  Result<std::string> answer(const std::string& command) {
    asked.push_back(command);
    if (!answers_instead.empty()) return answers_instead;
    if (command == "config mem" && !lies.empty()) return std::to_string(lies[asked.size() % lies.size()]);
    if (command == "config mem") return std::to_string(size);
    if (command == "proc meminfo") {
      return "MemFree:  " + std::to_string(free >> 10U) +
             " kB\nMemAvailable:  " + std::to_string((free + cached) >> 10U) +
             " kB\nSwapFree:  " + std::to_string(swap >> 10U) + " kB\n";
    }
    const bool grow = command.at(std::string("config mem=").size()) == '+';
    const std::uint64_t step =
        std::strtoull(command.c_str() + std::string("config mem=+").size(), nullptr, 10);
    const std::uint64_t moved = std::min(step, grow ? most - size : free);
    size = grow ? size + moved : size - moved;
    free = grow ? free + moved : free - moved;
    if (moved == step) return std::to_string(moved);
    return Error(Kind::Unavailable, std::to_string(moved) + " of " + std::to_string(step));
  }
  bool rest(bool done) {
    if (done) return --patience > 0;
    const std::uint64_t now = std::min(cached, freed_at_a_time);
    cached -= now;
    free += now;
    return --patience > 0;
  }
};

TEST(GuestMemory, IsTakenAndGivenToTheByte) {
  FakeGuest guest;
  for (const std::uint64_t size : {64, 256, 255, 16}) {
    const auto reached = guest.memory().set(ByteSize::mib(size));
    ASSERT_THAT(reached, is_ok());
    EXPECT_EQ(*reached, ByteSize::mib(size));
    EXPECT_EQ(guest.size, ByteSize::mib(size).bytes());
  }
}

TEST(GuestMemory, IsTakenInStepsThatAGuestDoesNotHangAt) {
  FakeGuest guest;
  guest.size = guest.free = guest.most = ByteSize::gib(1).bytes();
  ASSERT_THAT(guest.memory().set(ByteSize::mib(100)), is_ok());
  EXPECT_EQ(guest.size, ByteSize::mib(100).bytes());
  EXPECT_EQ(guest.asked[1], "proc meminfo");
  EXPECT_EQ(guest.asked[2], "config mem=-268435456");
}

TEST(GuestMemory, IsWaitedForWhileTheGuestFreesWhatItCached) {
  FakeGuest guest;
  guest.free = ByteSize::mib(20).bytes();
  guest.cached = ByteSize::mib(200).bytes();
  const auto reached = guest.memory().set(ByteSize::mib(64));
  ASSERT_THAT(reached, is_ok());
  EXPECT_EQ(*reached, ByteSize::mib(64));
}

TEST(GuestMemory, StaysWithAGuestThatHasNoMoreToGive) {
  FakeGuest guest;
  guest.free = ByteSize::mib(20).bytes();
  const auto reached = guest.memory().set(ByteSize::mib(64));
  ASSERT_THAT(reached, is_ok());
  // All but 4 MiB and a 32nd of what is wanted, which it needs to go on.
  EXPECT_EQ(*reached, ByteSize::mib(256 - 20 + 4 + 2));
  EXPECT_LT(guest.asked.size(), 40U) << "and it is not asked for ever";
}

TEST(GuestMemory, IsTakenFromAGuestThatCanSwap) {
  FakeGuest guest;
  guest.free = ByteSize::mib(20).bytes();
  guest.swap = ByteSize::mib(256).bytes();
  const auto reached = guest.memory().set(ByteSize::mib(64));
  ASSERT_THAT(reached, is_ok());
  EXPECT_EQ(*reached, ByteSize::mib(236)) << "all that is free: it swaps for the next";
}

TEST(GuestMemory, OfAGuestThatLiesStaysBetweenWhatItHadAndWhatIsWanted) {
  for (const std::vector<std::uint64_t>& lies :
       {std::vector<std::uint64_t>{ByteSize::gib(20).bytes()},
        {ByteSize::mib(300).bytes(), ByteSize::mib(200).bytes()},
        {ByteSize::mib(200).bytes(), ByteSize::mib(300).bytes(), ByteSize::mib(16).bytes()}}) {
    FakeGuest guest;
    guest.lies = lies;
    const auto reached = guest.memory().set(ByteSize::mib(64));
    ASSERT_THAT(reached, is_ok());
    EXPECT_GE(*reached, ByteSize::mib(64));
    EXPECT_LE(guest.asked.size(), 400U) << "and it is not asked for ever";
  }
}

TEST(GuestMemory, OfAGuestThatGivesALittleForEverIsLeftAtThat) {
  FakeGuest guest;
  guest.free = ByteSize::mib(10).bytes();
  guest.cached = ByteSize::mib(200).bytes();
  guest.freed_at_a_time = ByteSize::kib(256).bytes();
  guest.patience = 20;
  const auto reached = guest.memory().set(ByteSize::mib(64));
  ASSERT_THAT(reached, is_ok());
  EXPECT_GT(*reached, ByteSize::mib(64));
  EXPECT_LT(*reached, ByteSize::mib(256));
}

TEST(GuestMemory, AsksNothingOfAGuestThatIsThereAlready) {
  FakeGuest guest;
  ASSERT_THAT(guest.memory().set(ByteSize::mib(256)), is_ok());
  EXPECT_EQ(guest.asked, std::vector<std::string>{"config mem"});
}

TEST(GuestMemory, RefusesAnAnswerThatIsNoSize) {
  FakeGuest guest;
  for (const char* const answer : {"OK", "-1", " 4096", "0", "4097", "18446744073709547520"}) {
    guest.answers_instead = answer;
    EXPECT_THAT(guest.memory().set(ByteSize::mib(64)), is_error(Kind::Internal, "does not tell")) << answer;
  }
}

}  // namespace
}  // namespace umlfarm::daemon

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "guest/disk/base64.h"
#include "guest/disk/ssh_wire.h"
#include "tests/provisioner/daemon/admission_fixture.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

using testing::is_error;
using testing::is_ok;

std::string ssh_key() {
  std::string blob;
  guest::put_wire_string(blob, "ssh-ed25519");
  guest::put_wire_string(blob, std::string(32, 'k'));
  return "ssh-ed25519 " + guest::base64_encode(blob);
}

TEST_F(Admission, GivesWhatPlanImageAndKernelSay) {
  const auto admitted = ask("alice");
  ASSERT_THAT(admitted, is_ok());
  ASSERT_EQ(admitted->size(), 1U);
  const GuestRecord& alice = admitted->front();
  EXPECT_EQ(alice.name, "alice");
  EXPECT_EQ(alice.desired, Desired::Running);
  EXPECT_EQ(alice.identity.plan, "small");
  EXPECT_EQ(alice.limits.memory, ByteSize::mib(256));
  EXPECT_EQ(alice.limits.swap, ByteSize::mib(256));
  EXPECT_EQ(alice.limits.processes, 512U);
  EXPECT_EQ(alice.limits.disk, ByteSize::gib(10));
  kernels_[0].features.growing_disks = false;
  const auto fixed = ask("bob");
  ASSERT_THAT(fixed, is_ok());
  EXPECT_EQ(fixed->front().limits.disk, ByteSize(images_[0].size))
      << "its kernel knows of none larger than its image";
  EXPECT_EQ(alice.identity.image_digest, images_[0].digest);
  EXPECT_EQ(alice.identity.kernel_digest, kernels_[0].digest);
  EXPECT_EQ(alice.identity.uid, config_.guests.first_uid);
  EXPECT_EQ(alice.identity.address, 0U);
}

TEST_F(Admission, GivesTheDiskThatIsAskedFor) {
  const auto ask_for = [&](ByteSize disk) {
    return ask_with([&](CreateRequest& request) { request.disk = disk; });
  };
  const ByteSize of_image(images_[0].size);
  for (const ByteSize disk : {of_image, ByteSize::gib(20)}) {
    const auto admitted = ask_for(disk);
    ASSERT_THAT(admitted, is_ok());
    EXPECT_EQ(admitted->front().limits.disk, disk);
  }
  EXPECT_THAT(ask_for(ByteSize(of_image.bytes() - 512)), is_error(Kind::QuotaExceeded, "smaller image"));
  EXPECT_THAT(ask_for(ByteSize(of_image.bytes() + 1)), is_error(Kind::Invalid, "512 bytes"));
  kernels_[0].features.growing_disks = false;
  EXPECT_THAT(ask_for(ByteSize::gib(20)), is_error(Kind::Invalid, "growing_disks"));
  EXPECT_THAT(ask_for(of_image), is_ok());
}

TEST_F(Admission, KeepsWhatItsOwnerGave) {
  const auto admitted = ask_with([](CreateRequest& request) {
    request.plan = "tiny";
    request.memory = ByteSize::mib(48);
    request.ssh_keys = {"  " + ssh_key() + "  alice ", ssh_key()};
    request.root_password_hash = "$6$salt$hash";
  });
  ASSERT_THAT(admitted, is_ok());
  const GuestIdentity& identity = admitted->front().identity;
  EXPECT_EQ(identity.plan, "tiny");
  EXPECT_EQ(admitted->front().limits.memory, ByteSize::mib(48));
  EXPECT_THAT(identity.ssh_keys, ::testing::ElementsAre(ssh_key() + " alice", ssh_key()));
  EXPECT_EQ(identity.root_password_hash, "$6$salt$hash");
}

TEST_F(Admission, GivesTheKernelThatThePlanNames) {
  kernels_.push_back(entry_of("fast", 'c'));
  for (quota::Plan& plan : config_.plans) plan.kernel = plan.name == "large" ? "fast" : "";
  const auto kernel_for = [&](const char* plan, const char* kernel) {
    const auto admitted = ask_with([&](CreateRequest& request) {
      request.plan = plan;
      request.kernel = kernel;
    });
    return admitted ? admitted->front().identity.kernel : admitted.error().message();
  };
  EXPECT_EQ(kernel_for("large", ""), "fast");
  EXPECT_EQ(kernel_for("large", "strict"), "strict");
  EXPECT_EQ(kernel_for("small", ""), "strict");
  kernels_.pop_back();
  EXPECT_NE(kernel_for("large", "").find("plan 'large'"), std::string::npos) << kernel_for("large", "");
}

TEST_F(Admission, RefusesAKernelThatLacksWhatThePlanNeeds) {
  const auto refused_with = [&](guest::KernelFeatures features, unsigned processors,
                                const quota::Plan& needs) {
    kernels_[0].features = features;
    for (quota::Plan& plan : config_.plans) {
      plan.durable_disks = needs.durable_disks;
      plan.tap_offload = needs.tap_offload;
    }
    const auto admitted = ask_with([&](CreateRequest& request) { request.processors = processors; });
    return admitted ? std::string() : admitted.error().message();
  };
  quota::Plan all;
  quota::Plan none;
  none.durable_disks = none.tap_offload = false;
  const guest::KernelFeatures nothing;
  EXPECT_EQ(refused_with(kAllFeatures, 64, all), "");
  EXPECT_EQ(refused_with(nothing, 1, none), "");
  const std::string refusal = refused_with(nothing, 2, all);
  for (const char* says :
       {"'strict'", "'small'", "durable_disks", "tap_offload", "2 processors", "most is 1"})
    EXPECT_NE(refusal.find(says), std::string::npos) << refusal;
  EXPECT_EQ(refused_with({false, 1, true, true}, 1, all), "");
  EXPECT_NE(refused_with({false, 1, false, true}, 1, all).find("durable_disks"), std::string::npos);
  EXPECT_EQ(refused_with({false, 1, false, true}, 1, all).find("tap_offload"), std::string::npos);
  EXPECT_NE(refused_with({true, 4, true, true}, 5, none).find("most is 4"), std::string::npos);
}

TEST_F(Admission, RefusesARequestThatCannotBeMet) {
  using Request = CreateRequest;
  const struct {
    std::function<void(Request&)> change;
    Kind kind;
    const char* says;
  } rows[] = {
      {[](Request& r) { r.name = ""; }, Kind::Invalid, "guest name"},
      {[](Request& r) { r.name = "Alice"; }, Kind::Invalid, "'Alice'"},
      {[](Request& r) { r.name = "../alice"; }, Kind::Invalid, "'../alice'"},
      {[](Request& r) { r.count = 0; }, Kind::Invalid, "count 0"},
      {[](Request& r) { r.count = kMostAtOnce + 1; }, Kind::Invalid, "count 1001"},
      {[](Request& r) { r.plan = "huge"; }, Kind::NotFound, "large, medium, small, tiny"},
      {[](Request& r) { r.image = "gentoo"; }, Kind::NotFound, "debian-12"},
      {[](Request& r) { r.kernel = "fast"; }, Kind::NotFound, "strict"},
      {[](Request& r) { r.processors = 0; }, Kind::Invalid, "0 processors"},
      {[](Request& r) { r.processors = 65; }, Kind::Invalid, "65 processors"},
      {[](Request& r) { r.memory = ByteSize::mib(15); }, Kind::Invalid, "15 MiB"},
      {[](Request& r) { r.memory = ByteSize::gib(65); }, Kind::Invalid, "65 GiB"},
      {[](Request& r) { r.memory = ByteSize(ByteSize::mib(64).bytes() + 1); }, Kind::Invalid, "4 KiB"},
      {[](Request& r) { r.memory = ByteSize::gib(64); }, Kind::QuotaExceeded, "memory"},
      {[](Request& r) { r.ssh_keys = {"ssh-ed25519 AAAA"}; }, Kind::Invalid, "key"},
      {[](Request& r) { r.ssh_keys.assign(65, ssh_key()); }, Kind::Invalid, "at most 64"},
      {[](Request& r) { r.root_password_hash = "secret"; }, Kind::Invalid, "password hash"},
      {[](Request& r) { r.root_password_hash = "$6$a:b"; }, Kind::Invalid, "password hash"},
      {[](Request& r) { r.root_password_hash = "$6$a\nroot"; }, Kind::Invalid, "password hash"},
      {[](Request& r) { r.root_password_hash = "$" + std::string(384, 'x'); }, Kind::Invalid,
       "password hash"},
      {[](Request& r) { r.root_password_hash = "$6$a|bcd$"; }, Kind::Invalid, "password hash"},
      {[](Request& r) { r.root_password_hash = "$6"; }, Kind::Invalid, "password hash"},
      {[](Request& r) { r.extra_disks.assign(14, "/etc/hostname"); }, Kind::Invalid, "at most 13"},
      {[](Request& r) { r.extra_disks = {std::string("/etc/host\0name", 14)}; }, Kind::Invalid, "disk"},
  };
  capacity_[quota::Resource::Memory] = ByteSize::gib(64).bytes();
  for (const auto& row : rows) EXPECT_THAT(ask_with(row.change), is_error(row.kind, row.says)) << row.says;
}

TEST_F(Admission, NeverRepeatsAPassword) {
  const auto refused = ask_with([](CreateRequest& request) { request.root_password_hash = "hunter2"; });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message().find("hunter2"), std::string::npos);
}

TEST_F(Admission, RefusesANameThatExists) {
  guests_ = {guest_of(1, "alice"), guest_of(2, "lab-2")};
  EXPECT_THAT(ask("alice"), is_error(Kind::Conflict, "alice"));
  EXPECT_THAT(ask("lab", 2), is_error(Kind::Conflict, "lab-2"));
  EXPECT_THAT(ask("lab"), is_ok());
  EXPECT_THAT(ask("alice", 2), is_ok()) << "they are called alice-1 and alice-2";
}

TEST_F(Admission, RefusesANameThatIsBeingDeleted) {
  guests_ = {guest_of(1, "alice")};
  guests_[0].desired = Desired::Absent;
  EXPECT_THAT(ask("alice"), is_error(Kind::Conflict, "alice"));
}

TEST_F(Admission, NumbersABatchAndSharesNothingBetweenItsGuests) {
  const auto admitted = ask("lab", kMostAtOnce);
  ASSERT_THAT(admitted, is_ok());
  ASSERT_EQ(admitted->size(), kMostAtOnce);
  std::set<std::string> names;
  std::set<std::uint32_t> uids;
  std::set<std::uint32_t> addresses;
  for (const GuestRecord& guest : *admitted) {
    names.insert(guest.name);
    uids.insert(guest.identity.uid);
    addresses.insert(guest.identity.address);
  }
  EXPECT_EQ(admitted->front().name, "lab-1");
  EXPECT_EQ(admitted->back().name, "lab-1000");
  EXPECT_EQ(names.size(), kMostAtOnce);
  EXPECT_EQ(uids.size(), kMostAtOnce);
  EXPECT_EQ(addresses.size(), kMostAtOnce);
}

TEST_F(Admission, RefusesABatchWhoseLastNameIsTooLong) {
  EXPECT_THAT(ask(std::string(38, 'a'), 9), is_ok());
  EXPECT_THAT(ask(std::string(38, 'a'), 10), is_error(Kind::Invalid, "-10"));
}

TEST_F(Admission, RefusesABatchAsAWhole) {
  const std::uint64_t each = charges_of(ask("alice")->front()).at("host")[quota::Resource::Memory];
  capacity_[quota::Resource::Memory] = 3 * each;
  EXPECT_THAT(ask("lab", 3), is_ok());
  EXPECT_THAT(ask("lab", 4), is_error(Kind::QuotaExceeded, "memory"));
}

TEST_F(Admission, CountsWhatOtherGuestsWerePromised) {
  guests_ = {guest_of(1, "bob")};
  capacity_[quota::Resource::Disk] =
      guests_[0].limits.disk.bytes() + ByteSize::gib(10).bytes() + ByteSize::mib(256).bytes();
  EXPECT_THAT(ask("alice"), is_ok());
  guests_[0].desired = Desired::Stopped;
  guests_[0].limits.disk = ByteSize(guests_[0].limits.disk.bytes() + 1);
  EXPECT_THAT(ask("alice"), is_error(Kind::QuotaExceeded, "disk"));
}

TEST_F(Admission, HoldsTenantAndUserToTheirLimits) {
  tenants_.push_back({"physics", {}, {}});
  tenants_[1].bounds[quota::Resource::Guests] = 3;
  tenants_[1].each_user[quota::Resource::Guests] = 1;
  const auto of = [&](const char* name, const char* tenant, const char* user) {
    return ask_with([&](CreateRequest& request) {
      request.name = name;
      request.tenant = tenant;
      request.user = user;
    });
  };
  for (const char* const name : {"a", "b"}) {
    const auto guest = of(name, "physics", name);
    ASSERT_THAT(guest, is_ok());
    EXPECT_EQ(guest->front().identity.tenant, "physics");
    EXPECT_EQ(guest->front().identity.user, name);
    guests_.push_back(guest->front());
  }
  EXPECT_THAT(of("c", "physics", "a"), is_error(Kind::QuotaExceeded, "user physics/a"));
  EXPECT_THAT(of("c", "", "a"), is_ok()) << "another tenant's user of that name";
  guests_.push_back(of("c", "physics", "")->front());
  EXPECT_THAT(of("d", "physics", "d"), is_error(Kind::QuotaExceeded, "tenant physics"));
  EXPECT_THAT(of("d", "default", "d"), is_ok());
}

TEST_F(Admission, KnowsTheTenantsThatThereAre) {
  EXPECT_THAT(ask_with([](CreateRequest& request) { request.tenant = "arts"; }),
              is_error(Kind::NotFound, "there is: default"));
  EXPECT_THAT(ask_with([](CreateRequest& request) { request.user = "../x"; }),
              is_error(Kind::Invalid, "user"));
}

TEST_F(Admission, GivesAMemoryOfItsOwnTheCeilingThatItNeeds) {
  for (quota::Plan& plan : config_.plans) plan.limits.memory_ceiling = ByteSize::mib(512);
  const auto limits_with = [&](ByteSize memory) {
    return ask_with([&](CreateRequest& request) { request.memory = memory; })->front().limits;
  };
  EXPECT_EQ(ask("alice")->front().limits.memory_ceiling, ByteSize::mib(512));
  EXPECT_EQ(limits_with(ByteSize::mib(64)).memory_ceiling, ByteSize::mib(512));
  EXPECT_EQ(limits_with(ByteSize::gib(1)).memory_ceiling, ByteSize::gib(1));
}

TEST_F(Admission, TakesTheLowestFreeUidsAndAddresses) {
  guests_ = {guest_of(1, "a"), guest_of(3, "c")};
  const auto admitted = ask("lab", 3);
  ASSERT_THAT(admitted, is_ok());
  const std::uint32_t expected[] = {0, 2, 4};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ((*admitted)[i].identity.uid, config_.guests.first_uid + expected[i]);
    EXPECT_EQ((*admitted)[i].identity.address, expected[i]);
  }
}

TEST_F(Admission, RefusesWhenUidsOrAddressesAreExhausted) {
  guests_ = {guest_of(1, "bob")};
  config_.guests.uids = 4;
  EXPECT_THAT(ask("lab", 3), is_ok());
  EXPECT_THAT(ask("lab", 4), is_error(Kind::QuotaExceeded, "uid"));
  config_.guests.uids = 60'000;
  addresses_ = 4;
  EXPECT_THAT(ask("lab", 3), is_ok());
  EXPECT_THAT(ask("lab", 4), is_error(Kind::QuotaExceeded, "address"));
}

TEST_F(Admission, RefusesAnImageLargerThanThePlansDisk) {
  images_[0].size = ByteSize::gib(10).bytes();
  EXPECT_THAT(ask("alice"), is_ok());
  images_[0].size += 512;
  EXPECT_THAT(ask("alice"), is_error(Kind::QuotaExceeded, "larger plan"));
}

TEST_F(Admission, ChoosesTheNewestStrictKernelUnlessAsked) {
  kernels_ = {entry_of("fast", 'f'), entry_of("strict", 'b'), entry_of("strict", 'c')};
  EXPECT_EQ(ask("alice")->front().identity.kernel_digest, std::string(64, 'b'));
  const auto asked = ask_with([](CreateRequest& request) { request.kernel = "fast"; });
  EXPECT_EQ(asked->front().identity.kernel_digest, std::string(64, 'f'));
  kernels_ = {entry_of("own", 'd'), entry_of("fast", 'f')};
  EXPECT_EQ(ask("alice")->front().identity.kernel, "own");
  kernels_.clear();
  EXPECT_THAT(ask("alice"), is_error(Kind::NotFound, "kernel add"));
}

TEST_F(Admission, SaysThatThereIsNoImageYet) {
  images_.clear();
  EXPECT_THAT(ask("alice"), is_error(Kind::NotFound, "none"));
}

}  // namespace
}  // namespace umlfarm::daemon

#include "provisioner/daemon/kernel_needs.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "tests/support/result_matchers.h"

namespace umlfarm::daemon {
namespace {

namespace json = boost::json;

TEST(KernelFeatures, ReadWhatTheyWrite) {
  for (const guest::KernelFeatures& features :
       {guest::KernelFeatures{}, guest::KernelFeatures{true, 64, true, true, true},
        guest::KernelFeatures{false, 2, true, false}, guest::KernelFeatures{true, 3, false, true}}) {
    const guest::KernelFeatures read = features_from_json(to_json(features));
    EXPECT_EQ(read.seccomp, features.seccomp);
    EXPECT_EQ(read.processors, features.processors) << json::serialize(to_json(features));
    EXPECT_EQ(read.durable_disks, features.durable_disks);
    EXPECT_EQ(read.tap_offload, features.tap_offload);
    EXPECT_EQ(read.growing_disks, features.growing_disks);
  }
}

TEST(KernelFeatures, OfAManifestAreThoseThatItNames) {
  const auto features = features_of_manifest(
      json::parse(R"({"features": {"userspace": "seccomp", "processors": 8, "durable_disks": true}})")
          .as_object());
  EXPECT_TRUE(features.seccomp);
  EXPECT_TRUE(features.durable_disks);
  EXPECT_FALSE(features.tap_offload);
  EXPECT_EQ(features.processors, 8U);
  EXPECT_FALSE(features_of_manifest({}).durable_disks);
}

TEST(KernelFeatures, CountWhatIsNotSaidPlainlyAsMissing) {
  for (const char* text : {"null", "[]", "{}",
                           R"({"durable_disks": "yes", "tap_offload": 1, "processors": "8", "userspace": 1})",
                           R"({"processors": -1})", R"({"durable_disks": null, "processors": 0})"}) {
    const guest::KernelFeatures features = features_of_manifest({{"features", json::parse(text)}});
    EXPECT_FALSE(features.seccomp) << text;
    EXPECT_FALSE(features.durable_disks) << text;
    EXPECT_FALSE(features.tap_offload) << text;
    EXPECT_EQ(features.processors, 1U) << text;
  }
  EXPECT_EQ(features_of_manifest({{"features", {{"processors", 4096}}}}).processors, quota::kMostProcessors);
}

TEST(KernelNeeds, OfACeilingIsAKernelThatTellsItsMemory) {
  quota::Limits limits;
  limits.memory = limits.memory_ceiling = ByteSize::mib(64);
  const guest::KernelFeatures stock{};
  EXPECT_THAT(check_ceiling("stock", stock, limits), testing::is_ok());
  limits.memory_ceiling = ByteSize::mib(128);
  EXPECT_THAT(check_ceiling("stock", stock, limits), testing::is_error(Kind::Invalid, "ceiling of 128 MiB"));
  EXPECT_THAT(check_tells_memory("stock", stock), testing::is_error(Kind::Unavailable, "stock"));
  guest::KernelFeatures ours{};
  ours.durable_disks = true;
  EXPECT_THAT(check_ceiling("strict", ours, limits), testing::is_ok());
}

}  // namespace
}  // namespace umlfarm::daemon

#include "provisioner/cli/render.h"

#include <gtest/gtest.h>

#include "tests/provisioner/cli/documents.h"

namespace umlfarm::cli {
namespace {

namespace json = boost::json;

json::object stopped_guest() {
  json::object object = guest_document();
  object["name"] = "bob-the-second";
  object["state"] = "stopped";
  object["reason"] = "it was asked to stop";
  for (const char* key : {"started_ms", "ready_ms", "memory_allocated"}) object[key] = 0;
  object["disk_allocated"] = 200 * kMiB;
  object["swap"] = 128 * kMiB;
  object["processors"] = json::array();
  object["address4"] = "10.77.0.13";
  return object;
}

TEST(RenderGuests, HasALineForEach) {
  EXPECT_EQ(render_guests({{"guests", {guest_document(), stopped_guest()}}}, kNow),
            "NAME            STATE    PLAN   IMAGE      MEMORY  ON DISK  ADDRESS     UP\n"
            "alice           ready    small  debian-12  64 MiB  1.5 MiB  10.77.0.2   2h5m\n"
            "bob-the-second  stopped  small  debian-12  64 MiB  200 MiB  10.77.0.13  -\n");
}

TEST(RenderGuests, TellsHowToMakeTheFirst) {
  const std::string text = render_guests({{"guests", json::array()}}, kNow);
  EXPECT_NE(text.find("umlfarm create"), std::string::npos) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(RenderGuests, SurvivesAClockThatWasSetBack) {
  json::object early = guest_document();
  early["started_ms"] = kNow + 1;
  EXPECT_NE(render_guests({{"guests", {early}}}, kNow).find("10.77.0.2  -\n"), std::string::npos);
}

TEST(RenderGuest, TellsAllThatIsKnown) {
  EXPECT_EQ(render_guest(guest_document(), kNow),
            "name:            alice\n"
            "id:              g17\n"
            "state:           ready\n"
            "tenant:          default\n"
            "plan:            small\n"
            "image:           debian-12 (0123456789ab)\n"
            "kernel:          strict (fedcba987654), ptrace\n"
            "memory:          48 MiB of 64 MiB\n"
            "disk:            1.5 MiB of 2 GiB\n"
            "address:         10.77.0.2\n"
            "address (IPv6):  fd75:6d6c:6661:726d::2\n"
            "mac:             02:00:0a:4d:00:02\n"
            "processors:      1\n"
            "created:         2026-11-23T04:08:09Z\n"
            "up:              2h5m\n"
            "ready after:     1234 ms\n"
            "restarts:        2\n"
            "host key:        ssh-ed25519 AAAA\n");
}

TEST(RenderGuest, LeavesOutWhatAStoppedOneDoesNotHave) {
  const std::string text = render_guest(stopped_guest(), kNow);
  for (const char* field : {"up:", "ready after:", "processors:"}) {
    EXPECT_EQ(text.find(std::string("\n") + field), std::string::npos) << text;
  }
  for (const char* field : {"reason:", "swap:"}) {
    EXPECT_NE(text.find(std::string("\n") + field), std::string::npos) << text;
  }
}

TEST(RenderGuest, IgnoresWhatANewerDaemonAdds) {
  json::object newer = guest_document();
  newer["colour"] = "red";
  newer["more"] = json::object{{"deep", {1, 2}}};
  EXPECT_EQ(render_guest(newer, kNow), render_guest(guest_document(), kNow));
}

TEST(Render, ShowsNothingThatATerminalWouldObey) {
  json::object hostile = guest_document();
  for (const char* key : {"name", "state", "reason", "plan", "image", "kernel", "address4", "host_key"}) {
    hostile[key] = "\x1b[2J\x9b\r\n\xc3\xbc";
  }
  const json::object event{{"id", 1},        {"time_ms", kNow},       {"guest", "\x1b[1m"},
                           {"kind", "\x07"}, {"message", "a\nb\x1b"}, {"asked_by", "\x1b"},
                           {"request", "\n"}};
  json::object entry{{"name", "\x1b"}, {"digest", "\x1b"}, {"version", "\n"},
                     {"size", 1},      {"added_ms", 1},    {"guests", 0}};
  entry["features"] = {{"userspace", "\x1b"},
                       {"processors", 1},
                       {"durable_disks", true},
                       {"tap_offload", true},
                       {"growing_disks", true}};
  const json::object status{{"version", "\x1b"},
                            {"guests", json::object()},
                            {"memory", {{"promised", 0}, {"capacity", 0}}},
                            {"disk", {{"promised", 0}, {"capacity", 0}}},
                            {"processors", {{"promised", 0}, {"capacity", 0}}},
                            {"problems", {{{"what", "\x1b"}, {"remedy", "\x1b"}}}},
                            {"notices", {"\x1b[2J\n"}}};
  for (const std::string& text : {render_guest(hostile, kNow), render_guests({{"guests", {hostile}}}, kNow),
                                  render_event(event), render_images({{"images", {entry}}}, kNow),
                                  render_kernels({{"kernels", {entry}}}, kNow), render_status(status)}) {
    for (const char c : text) EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << text;
  }
  EXPECT_EQ(render_event(event).find('\n'), render_event(event).size() - 1);
}

TEST(RenderImages, HasALineForEach) {
  const json::value document{{"images",
                              {{{"name", "debian-12"},
                                {"digest", "0123456789abcdef"},
                                {"version", "12.1"},
                                {"size", 2048 * kMiB},
                                {"added_ms", kNow - 3'600'000},
                                {"guests", 12}},
                               {{"name", "tiny"},
                                {"digest", "fedcba9876543210"},
                                {"version", ""},
                                {"size", 40 * kMiB},
                                {"added_ms", kNow - 90'000'000},
                                {"guests", 0}}}}};
  EXPECT_EQ(render_images(document, kNow),
            "NAME       DIGEST        VERSION    SIZE  GUESTS  AGE\n"
            "debian-12  0123456789ab  12.1      2 GiB      12  1h0m\n"
            "tiny       fedcba987654           40 MiB       0  1d1h\n");
}

TEST(RenderKernels, TellsWhatEachCanDo) {
  const json::value document{{"kernels",
                              {{{"name", "fast"},
                                {"digest", "0123456789abcdef"},
                                {"version", "7.2.1"},
                                {"added_ms", kNow - 3'600'000},
                                {"features",
                                 {{"userspace", "seccomp"},
                                  {"processors", 32},
                                  {"durable_disks", true},
                                  {"tap_offload", true},
                                  {"growing_disks", true}}},
                                {"guests", 12}},
                               {{"name", "stock"},
                                {"digest", "fedcba9876543210"},
                                {"version", ""},
                                {"added_ms", kNow - 90'000'000},
                                {"features",
                                 {{"userspace", "ptrace"},
                                  {"processors", 1},
                                  {"durable_disks", false},
                                  {"tap_offload", false},
                                  {"growing_disks", false}}},
                                {"guests", 0}}}}};
  EXPECT_EQ(render_kernels(document, kNow),
            "NAME   DIGEST        VERSION  USERSPACE  CPUS  DURABLE  OFFLOAD  GROWS  GUESTS  AGE\n"
            "fast   0123456789ab  7.2.1    seccomp      32  yes      yes      yes        12  1h0m\n"
            "stock  fedcba987654           ptrace        1  no       no       no          0  1d1h\n");
}

TEST(RenderCatalog, TellsOfWhatThereIsNone) {
  EXPECT_EQ(render_images({{"images", json::array()}}, kNow), "no images yet\n");
  EXPECT_EQ(render_kernels({{"kernels", json::array()}}, kNow), "no kernels yet\n");
}

TEST(RenderPlans, HasALineForEach) {
  const json::value document{{"plans",
                              {{{"name", "tiny"},
                                {"memory", 32 * kMiB},
                                {"disk", 1024 * kMiB},
                                {"swap", 0},
                                {"processes", 128},
                                {"processors", 1},
                                {"kernel", ""},
                                {"summary", "a shell"}},
                               {{"name", "large"},
                                {"memory", 1024 * kMiB},
                                {"disk", 20480 * kMiB},
                                {"swap", 512 * kMiB},
                                {"processes", 4096},
                                {"processors", 16},
                                {"kernel", "fast"},
                                {"summary", ""}}}}};
  EXPECT_EQ(render_plans(document),
            "PLAN   MEMORY    DISK     SWAP  PROCESSES  CPUS  KERNEL\n"
            "tiny   32 MiB   1 GiB      0 B        128     1          a shell\n"
            "large   1 GiB  20 GiB  512 MiB       4096    16  fast\n");
}

TEST(RenderPlan, ShowsEachLimitInItsOrder) {
  const json::value plan{{"name", "small"},
                         {"summary", "a small server"},
                         {"kernel", ""},
                         {"texts", {{"memory", "256 MiB"}, {"rate in", "10 mbit/s"}, {"traffic", "none"}}}};
  EXPECT_EQ(render_plan(plan),
            "plan:     small\n"
            "summary:  a small server\n"
            "memory:   256 MiB\n"
            "rate in:  10 mbit/s\n"
            "traffic:  none\n");
}

TEST(RenderStatus, TellsGuestsPromisesAndNotices) {
  json::value document{{"version", "0.1.0"},
                       {"problems", json::array()},
                       {"guests", {{"ready", 3}, {"stopped", 1}}},
                       {"memory", {{"promised", 256 * kMiB}, {"capacity", 2048 * kMiB}}},
                       {"disk", {{"promised", 0}, {"capacity", 102400 * kMiB}}},
                       {"processors", {{"promised", 3}, {"capacity", 200}}},
                       {"notices", {"no firewall", "old kernel"}}};
  EXPECT_EQ(render_status(document),
            "the farm is well\n"
            "version:              0.1.0\n"
            "guests:               3 ready, 1 stopped\n"
            "memory promised:      256 MiB of 2 GiB\n"
            "disk promised:        0 B of 100 GiB\n"
            "processors promised:  3 of 200\n"
            "notice: no firewall\n"
            "notice: old kernel\n");
  document.at("problems") = {{{"what", "a guest failed"}, {"remedy", "look at it"}},
                             {{"what", "the disk is full"}, {"remedy", "make room"}}};
  EXPECT_TRUE(
      render_status(document).starts_with("the farm is not well; first: a guest failed\n    look at it\n"
                                          "and: the disk is full\n    make room\nversion: "));
}

TEST(RenderTenant, ShowsPromisesLimitsAndUsers) {
  EXPECT_EQ(render_tenants({{"tenants", {tenant_document()}}}),
            "TENANT   GUESTS   MEMORY   DISK   PROCESSORS\n"
            "physics  3 of 10  192 MiB  3 GiB  3\n");
  EXPECT_EQ(render_tenant(tenant_document()),
            "TENANT      GUESTS   MEMORY              DISK   PROCESSORS\n"
            "physics     3 of 10  192 MiB             3 GiB  3\n"
            "user alice  3        192 MiB of 256 MiB  3 GiB  3\n"
            "each user has at most: memory 256 MiB\n");
}

TEST(RenderHost, IsASumThatAReaderCanCheck) {
  EXPECT_EQ(render_host(host_document()),
            "RESOURCE    HOST HAS   OTHERS  RESERVE   PERCENT  FOR GUESTS  PROMISED     LEFT\n"
            "memory        16 GiB  - 4 GiB  - 2 GiB   x 150 %    = 15 GiB     1 GiB   14 GiB\n"
            "disk         100 GiB    - 0 B  - 2 GiB   x 200 %   = 196 GiB       0 B  196 GiB\n"
            "processors         4      - 0      - 0  x 1000 %        = 40        50        0\n"
            "NUMA cells: 8 GiB, 8 GiB\n"
            "quota of the disk: none\n"
            "counted by qemu:///system; virtual machines of others here: 1\n");
}

TEST(RenderQuota, ShowsEachLimitWithItsUse) {
  boost::json::object usage = usage_document("alice", 1000, 12'340);
  EXPECT_EQ(render_quota(usage),
            "LIMIT OF                 LIMIT    USED     PEAK     LEFT\n"
            "memory                 256 MiB  64 MiB        -  192 MiB\n"
            "memory on the host     370 MiB  80 MiB  100 MiB  290 MiB\n"
            "processes on the host      544      20        -      524\n"
            "disk                     1 GiB   2 MiB        -  1.0 GiB\n"
            "memory can be set to 512 MiB while it runs\n"
            "processors: 1, weight 100, at most 50 % of one; 12.3 s used, held back for 0.0 s\n"
            "the host's disk: no cap; 5 MiB read, 6 MiB written\n"
            "network: no cap; this month 1 MiB in, 2 MiB out; ever 12.1 MiB in, 10 MiB out\n");
  usage["cpu"].as_object()["percent"] = 0;
  usage["host_memory"].as_object()["kills"] = 3;
  usage["swap"].as_object()["limit"] = 32 * kMiB;
  usage["network"].as_object()["limit"] = 4 * kMiB;
  usage["network"].as_object()["held_to"] = {
      {"rate_in", 10'000'000}, {"rate_out", 512'000}, {"packets", 900}, {"closed", false}};
  usage["disk_io"].as_object()["write_rate"] = 2 * kMiB;
  usage["disk_io"].as_object()["read_operations"] = 50;
  const std::string shown = render_quota(usage);
  EXPECT_NE(shown.find("the host's disk: at most 2 MiB/s written, 50 reads/s; 5 MiB"), std::string::npos)
      << shown;
  EXPECT_NE(shown.find("no cap"), std::string::npos);
  EXPECT_NE(shown.find("killed 3"), std::string::npos);
  EXPECT_NE(shown.find("swap"), std::string::npos);
  EXPECT_NE(shown.find("traffic this month       4 MiB   3 MiB"), std::string::npos) << shown;
  EXPECT_NE(shown.find("at most 10 mbit/s in, 512 kbit/s out, 900 packets/s each way;"), std::string::npos)
      << shown;
  usage["network"].as_object()["held_to"].as_object()["closed"] = true;
  EXPECT_NE(render_quota(usage).find("closed, as its traffic is used up"), std::string::npos);
}

TEST(RenderTop, ShowsTheBusiestFirstAndNoneThatIsDown) {
  json::object down = usage_document("down", 3000, 0);
  down["processes"].as_object()["used"] = 0;
  const json::value before{{"guests",
                            {usage_document("idle", 1000, 500), usage_document("busy", 1000, 0),
                             usage_document("again", 1000, 9000)}}};
  const json::value now{{"guests",
                         {usage_document("idle", 3000, 501), usage_document("busy", 3000, 1500),
                          usage_document("again", 3000, 10), usage_document("new", 3000, 700), down}}};
  EXPECT_EQ(
      render_top(before, now),
      "NAME   CPU %             MEMORY        ON THE HOST  PROCESSES            DISK     IN/S  OUT/S\n"
      "busy    75.0  64 MiB of 256 MiB  80 MiB of 370 MiB  20 of 544  2 MiB of 1 GiB  750 KiB    0 B\n"
      "idle     0.0  64 MiB of 256 MiB  80 MiB of 370 MiB  20 of 544  2 MiB of 1 GiB    512 B    0 B\n"
      "again    0.0  64 MiB of 256 MiB  80 MiB of 370 MiB  20 of 544  2 MiB of 1 GiB      0 B    0 B\n"
      "new      0.0  64 MiB of 256 MiB  80 MiB of 370 MiB  20 of 544  2 MiB of 1 GiB        -      -\n");
}

TEST(RenderEvent, IsOneLine) {
  json::object event{{"id", 4},
                     {"time_ms", kNow},
                     {"guest", "alice"},
                     {"kind", "ready"},
                     {"message", "after 1234 ms"},
                     {"asked_by", ""},
                     {"request", ""}};
  EXPECT_EQ(render_event(event), "2026-11-24T05:08:09Z  alice  ready  after 1234 ms\n");
  event["guest"] = "";
  EXPECT_EQ(render_event(event), "2026-11-24T05:08:09Z  -  ready  after 1234 ms\n");
  event["asked_by"] = "root";
  event["request"] = "ab12";
  EXPECT_EQ(render_event(event), "2026-11-24T05:08:09Z  -  ready  after 1234 ms  [root ab12]\n");
}

}  // namespace
}  // namespace umlfarm::cli

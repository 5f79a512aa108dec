#include "metrics/exporter.h"

#include <gmock/gmock.h>

#include <regex>
#include <set>

#include "metrics/families.h"

namespace umlfarm::metrics {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Guest guest(const std::string& name) {
  Guest guest;
  guest.name = name;
  guest.tenant = "physics";
  guest.state = "ready";
  return guest;
}

TEST(Exporter, WritesWhatASnapshotHolds) {
  Snapshot snapshot;
  snapshot.host.version = "1.2";
  snapshot.host.resources["memory"] = {100, 90, 80, 70};
  snapshot.host.resources["processors"] = {2, 2000, 3, {}};
  snapshot.tenants = {{"physics", {{"memory", {7, 9}}, {"guests", {2, {}}}}}};
  Guest alice = guest("alice");
  alice.running = Running();
  alice.running->cpu_seconds = 1.25;
  alice.restarts = {{"panicked", 3}};
  alice.in = {1, 2, 3};
  alice.out = {4, 5, 6};
  snapshot.guests = {alice, guest("bob")};
  const std::string text = to_text(snapshot);
  for (const char* const line :
       {"# TYPE umlfarm_build_info gauge", "umlfarm_build_info{version=\"1.2\"} 1",
        "umlfarm_host_memory_size_bytes 100", "umlfarm_host_memory_capacity_bytes 90",
        "umlfarm_host_memory_promised_bytes 80", "umlfarm_host_memory_used_bytes 70",
        "umlfarm_host_processors_capacity 2000", "umlfarm_tenant_memory_promised_bytes{tenant=\"physics\"} 7",
        "umlfarm_tenant_memory_limit_bytes{tenant=\"physics\"} 9",
        "umlfarm_tenant_guests_promised{tenant=\"physics\"} 2",
        "# TYPE umlfarm_guest_cpu_seconds_total counter",
        "umlfarm_guest_cpu_seconds_total{guest=\"alice\"} 1.25",
        "umlfarm_guest_restarts_total{guest=\"alice\",cause=\"panicked\"} 3",
        "umlfarm_guest_network_receive_packets_total{guest=\"alice\"} 2",
        "umlfarm_guest_network_transmit_drops_total{guest=\"alice\"} 6", "umlfarm_guests{state=\"ready\"} 2",
        "umlfarm_guests{state=\"failed\"} 0", "umlfarm_guest_state{guest=\"bob\",state=\"ready\"} 1"}) {
    EXPECT_THAT(text, HasSubstr(line + std::string("\n")));
  }
  // What is not there has no sample that would say that it is nothing.
  for (const char* const absent :
       {"umlfarm_tenant_guests_limit{", "umlfarm_host_processors_used",
        "umlfarm_guest_boot_duration_seconds{", "umlfarm_guest_cpu_seconds_total{guest=\"bob\"",
        "umlfarm_guest_network_receive_drops_total{guest=\"bob\"",
        "umlfarm_guest_restarts_total{guest=\"bob\""}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
}

TEST(Exporter, KeepsBytesExactAsFarAsADoubleCan) {
  Snapshot snapshot;
  snapshot.guests = {guest("alice")};
  snapshot.guests[0].in.bytes = 9'007'199'254'740'991;
  EXPECT_THAT(to_text(snapshot),
              HasSubstr("umlfarm_guest_network_receive_bytes_total{guest=\"alice\"} 9007199254740991\n"));
}

TEST(Exporter, NamesEachMetricOnceAndByPrometheusConventions) {
  std::set<std::string> names;
  for (const Family& metric : families()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name << " is there twice";
    EXPECT_TRUE(std::regex_match(metric.name, std::regex("umlfarm_[a-z0-9_]+"))) << metric.name;
    EXPECT_EQ(metric.name.ends_with("_total"), metric.counter) << metric.name;
    EXPECT_TRUE(metric.help.ends_with(".")) << metric.name;
  }
  // Nothing is written that was not described.
  Snapshot snapshot;
  snapshot.guests = {guest("alice")};
  const std::string text = to_text(snapshot);
  const std::regex type("# TYPE ([a-z0-9_]+) ");
  for (std::sregex_iterator each(text.begin(), text.end(), type), end; each != end; ++each)
    EXPECT_TRUE(names.contains((*each)[1])) << (*each)[1];
}

}  // namespace
}  // namespace umlfarm::metrics

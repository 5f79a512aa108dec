#include "tests/bench/stored_guests.h"

#include "provisioner/daemon/state_store.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::bench {

void store_guests(const testing::TestFarm& farm, unsigned count) {
  auto store = daemon::open_sqlite_store(farm.state("state.db"));
  ASSERT_THAT(store, testing::is_ok());
  std::vector<daemon::GuestRecord> records(count);
  for (unsigned i = 0; i < count; ++i) {
    daemon::GuestRecord& record = records[i];
    record.name = "guest-" + std::to_string(i);
    record.desired = daemon::Desired::Stopped;
    record.identity.plan = "tiny";
    record.limits = {ByteSize::mib(32), ByteSize::gib(1), ByteSize(), 256};
    record.identity.image = "tiny";
    record.identity.kernel = "strict";
    record.identity.uid = farm.first_uid() + i;
    record.identity.address = i;
    record.identity.ssh_keys = {std::string(80, 'k')};
    record.identity.host_key_openssh = std::string(400, 'k');
  }
  ASSERT_THAT((*store)->add_guests(std::move(records),
                                   [](daemon::GuestRecord& record) {
                                     char mac[18];
                                     std::snprintf(mac, sizeof mac, "02:00:00:00:%02x:%02x",
                                                   static_cast<unsigned>(record.number >> 8U & 0xff),
                                                   static_cast<unsigned>(record.number & 0xff));
                                     record.identity.mac = mac;
                                   }),
              testing::is_ok());
}

}  // namespace umlfarm::bench

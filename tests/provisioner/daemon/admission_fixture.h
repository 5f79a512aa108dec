// A farm that has room, one image and one kernel, for tests of what it admits.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "provisioner/daemon/admission.h"
#include "quota/ledger.h"
#include "tests/provisioner/daemon/records.h"

namespace umlfarm::daemon {

class Admission : public ::testing::Test {
 protected:
  Result<std::vector<GuestRecord>> ask(const CreateRequest& request) const {
    quota::Ledger ledger;
    for (const GuestRecord& guest : guests_) {
      UMLFARM_ASSIGN(quota::Reservation present, ledger.reserve(charges_of(guest), {}));
      present.commit();
    }
    UMLFARM_ASSIGN(const Admitted admitted,
                   admit(request, {config_, guests_, images_, kernels_, tenants_, capacity_, addresses_}));
    for (const GuestRecord& guest : admitted.guests) {
      UMLFARM_ASSIGN(quota::Reservation promised, ledger.reserve(charges_of(guest), admitted.bounds));
      promised.commit();
    }
    return admitted.guests;
  }
  Result<std::vector<GuestRecord>> ask(const std::string& name, unsigned count = 1) const {
    CreateRequest request;
    request.name = name;
    request.count = count;
    return ask(request);
  }
  Result<std::vector<GuestRecord>> ask_with(const std::function<void(CreateRequest&)>& change) const {
    CreateRequest request;
    request.name = "alice";
    change(request);
    return ask(request);
  }

  config::Config config_ = config::defaults();
  std::vector<GuestRecord> guests_;
  std::vector<CatalogEntry> images_{entry_of("debian-12", 'a')};
  std::vector<CatalogEntry> kernels_{entry_of("strict", 'b')};
  std::vector<Tenant> tenants_{{kDefaultTenant, {}, {}}};
  quota::Bounds capacity_;
  std::uint64_t addresses_ = 1000;
};

}  // namespace umlfarm::daemon

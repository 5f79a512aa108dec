// Guests that do not run, straight into a farm's store.
#pragma once

#include "tests/support/test_farm.h"

namespace umlfarm::bench {

// While no daemon is up.
void store_guests(const testing::TestFarm& farm, unsigned count);

}  // namespace umlfarm::bench

// The jail's side of its reports.
#pragma once

#include "guest/jail/jail.h"

namespace umlfarm::guest {

// Best effort: a supervisor that is gone can't be told.
void send_report(int reports, const JailReport& report);

}  // namespace umlfarm::guest

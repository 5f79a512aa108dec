// What the daemon answers to Prometheus, and to whoever asks whether it is well.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "provisioner/api/page_server.h"
#include "provisioner/config/config.h"
#include "provisioner/daemon/collector.h"

namespace umlfarm::daemon {

//   /metrics   with the token, where there is one; 503 while nothing can be looked at
//   /healthz   200 while the daemon answers
//   /readyz    200 while it can look at its farm, else 503 and why
api::Pages metrics_pages(const Collector& collector);

// Has them served where the configuration says, and says in a file for Prometheus' file_sd_configs where that
// is. Null where it is nowhere, or can't be: that keeps no guest from running, and a notice says so.
std::unique_ptr<api::PageServer> offer_metrics(boost::asio::io_context& loop, Farm& farm,
                                               const Collector& collector);

}  // namespace umlfarm::daemon

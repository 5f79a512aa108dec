#include "provisioner/daemon/collector.h"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include "metrics/exporter.h"
#include "provisioner/daemon/snapshot.h"

namespace umlfarm::daemon {

Collector::Collector(Farm& farm, std::chrono::seconds period)
    : farm_(farm), thread_([this, period](const std::stop_token& stop) {
        (void)::pthread_setname_np(::pthread_self(), "metrics");
        while (!stop.stop_requested()) {
          look();
          std::unique_lock lock(mutex_);
          wake_.wait_for(lock, stop, period, [] { return false; });
        }
      }) {}

void Collector::look() {
  const auto snapshot = take_snapshot(farm_);
  const auto text = snapshot ? std::make_shared<const std::string>(metrics::to_text(*snapshot)) : nullptr;
  const std::lock_guard lock(mutex_);
  const std::string trouble = snapshot ? "" : snapshot.error().message();
  if (trouble != trouble_ && !trouble.empty()) spdlog::error("metrics: {}", trouble);
  trouble_ = trouble;
  // What was seen before says when that was.
  if (text) text_ = text;
}

std::shared_ptr<const std::string> Collector::text() const {
  const std::lock_guard lock(mutex_);
  return text_;
}

std::string Collector::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

}  // namespace umlfarm::daemon

#include "metrics/exporter.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <sstream>

#include "metrics/families.h"

namespace umlfarm::metrics {
namespace {

prometheus::MetricFamily translate(const Family& family, const Snapshot& snapshot) {
  prometheus::MetricFamily translated;
  translated.name = family.name;
  translated.help = family.help;
  translated.type = family.counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  std::vector<Sample> samples = family.samples(snapshot);
  translated.metric.reserve(samples.size());
  for (Sample& sample : samples) {
    prometheus::ClientMetric& metric = translated.metric.emplace_back();
    for (std::size_t i = 0; i < family.labels.size(); ++i)
      metric.label.push_back({family.labels[i], std::move(sample.labels[i])});
    (family.counter ? metric.counter.value : metric.gauge.value) = sample.value;
  }
  return translated;
}

}  // namespace

// One family after the other: all of ten thousand guests at once would take more memory than the daemon.
std::string to_text(const Snapshot& snapshot) {
  std::ostringstream text;
  for (const Family& family : families())
    prometheus::TextSerializer().Serialize(text, {translate(family, snapshot)});
  return std::move(text).str();
}

}  // namespace umlfarm::metrics

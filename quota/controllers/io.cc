#include "quota/controllers/io.h"

#include <algorithm>
#include <array>

#include "provisioner/base/cut.h"
#include "provisioner/base/posix.h"

namespace umlfarm::quota::io {
namespace {

struct Rule {
  const char* v1_file;
  const char* v2_key;
  std::uint64_t most;  // 0: all there is
};

std::array<Rule, 4> rules_of(const Limits& limits) {
  return {Rule{"blkio.throttle.read_bps_device", "rbps", limits.read_rate.bytes()},
          Rule{"blkio.throttle.write_bps_device", "wbps", limits.write_rate.bytes()},
          Rule{"blkio.throttle.read_iops_device", "riops", limits.read_operations},
          Rule{"blkio.throttle.write_iops_device", "wiops", limits.write_operations}};
}

}  // namespace

std::string limits_text(const Limits& limits) {
  std::string text;
  for (const Rule& rule : rules_of(limits)) {
    text += (text.empty() ? "" : " ") + std::string(rule.v2_key) + "=" +
            (rule.most == 0 ? "max" : std::to_string(rule.most));
  }
  return text;
}

bool asked(const Limits& limits) {
  const auto rules = rules_of(limits);
  return std::any_of(rules.begin(), rules.end(), [](const Rule& rule) { return rule.most != 0; });
}

bool can_limit(const Group& group) {
  return posix::exists(group.file("blkio.throttle.read_bps_device", "io.max"));
}

Status apply(const Group& group, const Limits& limits) {
  if (group.disk.empty() || !can_limit(group)) return {};
  if (group.v2)
    return posix::write_existing(group.directory + "/io.max", group.disk + " " + limits_text(limits));
  for (const Rule& rule : rules_of(limits)) {
    UMLFARM_TRY(posix::write_existing(group.directory + "/" + rule.v1_file,
                                      group.disk + " " + std::to_string(rule.most)));
  }
  return {};
}

void find_use(std::string_view text, std::string_view disk, Usage& usage) {
  while (!text.empty()) {
    std::string_view line = cut(text, '\n');
    if (cut(line, ' ') != disk) continue;
    while (!line.empty()) {
      const std::string_view word = cut(line, ' ');
      if (word == "Read") usage.disk_read = ByteSize(leading_number(line));
      if (word == "Write") usage.disk_written = ByteSize(leading_number(line));
      if (word.starts_with("rbytes=")) usage.disk_read = ByteSize(leading_number(word.substr(7)));
      if (word.starts_with("wbytes=")) usage.disk_written = ByteSize(leading_number(word.substr(7)));
      if (word.starts_with("rios=")) usage.disk_reads = leading_number(word.substr(5));
      if (word.starts_with("wios=")) usage.disk_writes = leading_number(word.substr(5));
    }
  }
}

void read(const Group& group, Usage& usage) {
  const auto text = posix::read_file(group.file("blkio.throttle.io_service_bytes", "io.stat"));
  if (text) find_use(*text, group.disk, usage);
  if (group.v2) return;
  // A file of the same form, with numbers of operations.
  Usage operations;
  const auto serviced = posix::read_file(group.directory + "/blkio.throttle.io_serviced");
  if (serviced) find_use(*serviced, group.disk, operations);
  usage.disk_reads = operations.disk_read.bytes();
  usage.disk_writes = operations.disk_written.bytes();
}

}  // namespace umlfarm::quota::io

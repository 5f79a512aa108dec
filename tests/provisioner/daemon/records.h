// Guests and catalog entries as the daemon's tests use them.
#pragma once

#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "provisioner/daemon/catalog_entry.h"
#include "provisioner/daemon/guest_record.h"

namespace umlfarm::daemon {

// Of a kernel that every plan is content with.
inline constexpr guest::KernelFeatures kAllFeatures{true, quota::kMostProcessors, true, true, true};

// A guest that shares nothing unique with one of another number.
inline GuestRecord guest_of(std::int64_t number, const std::string& name) {
  GuestRecord record;
  record.number = number;
  record.name = name;
  record.identity.plan = "small";
  record.limits = {ByteSize::mib(64), ByteSize::gib(1), ByteSize(0), 512, 1, ByteSize::mib(64)};
  record.identity.uid = static_cast<std::uint32_t>(2'000'000 + number);
  record.identity.address = static_cast<std::uint32_t>(number);
  record.identity.mac = "02:00:00:00:00:" + std::to_string(10 + number);
  return record;
}

// One whose every field differs from what a record begins with.
inline GuestRecord full_guest() {
  GuestRecord record = guest_of(17, "alice");
  GuestIdentity& identity = record.identity;
  identity.tenant = "physics";
  identity.user = "prof";
  record.limits = {ByteSize::gib(64),
                   ByteSize(1),
                   ByteSize(UINT64_MAX >> 1U),
                   4'000'000'000U,
                   64,
                   ByteSize::gib(65),
                   10'000,
                   6400};
  record.limits.host_memory = ByteSize(5);
  record.limits.read_rate = ByteSize(6);
  record.limits.write_rate = ByteSize(7);
  record.limits.read_operations = 8;
  record.limits.write_operations = 9;
  record.limits.rate_in = BitRate(1);
  record.limits.rate_out = quota::kMostRate;
  record.limits.network_burst = ByteSize(3);
  record.limits.packets = UINT32_MAX;
  record.limits.traffic = ByteSize(INT64_MAX);
  record.limits.traffic_end = quota::TrafficEnd::Stop;
  record.limits.throttled_rate = BitRate(2);
  identity.kernel_features = kAllFeatures;
  identity.image = "debian-12";
  identity.image_digest = std::string(64, 'a');
  identity.kernel = "strict";
  identity.kernel_digest = std::string(64, 'b');
  identity.uid = UINT32_MAX;
  identity.address = 16'777'212;
  identity.ssh_keys = {"ssh-ed25519 AAAA alice \"at\" home", "ssh-ed25519 BBBB b\xc3\xb6rse"};
  identity.extra_disks = {"/srv/a.img", "/srv/b.img"};
  identity.root_password_hash = "$6$salt$hash/.";
  identity.machine_id = std::string(32, 'c');
  identity.seed_id = std::string(16, 'd');
  identity.host_key_public = "ssh-ed25519 CCCC";
  identity.host_key_openssh = "-----BEGIN\nline\n-----END\n";
  for (int byte = 0; byte < 256; ++byte) identity.host_key_dropbear += static_cast<char>(byte);
  identity.created_ms = 1'700'000'000'001;
  record.desired = Desired::Absent;
  record.restart_asked = true;
  record.stop_patience_ms = 86'400'000;
  record.failure = "launch: no \\ such \"thing\"";
  record.last_exit = std::string("crashed: \0\x01\x7f", 12);
  record.last_exit_ms = 1'700'000'000'002;
  record.started_ms = 1'700'000'000'003;
  record.ready_ms = -4;
  record.restarts = 5;
  record.suspended = "not paid";
  record.restarts_ever = {{"crashed", 4'000'000'001U}};
  return record;
}

// All of a record as one text, to compare records by.
inline std::string text_of(const GuestRecord& record) {
  return record.id() + " " + boost::json::serialize(to_json(record));
}

inline std::vector<std::string> texts_of(const std::vector<GuestRecord>& records) {
  std::vector<std::string> texts;
  for (const GuestRecord& record : records) texts.push_back(text_of(record));
  return texts;
}

inline CatalogEntry entry_of(const std::string& name, char digit, std::int64_t added_ms = 0) {
  return {name, std::string(64, digit), "1.0", ByteSize::mib(512).bytes(), added_ms, 0, kAllFeatures};
}

}  // namespace umlfarm::daemon

#include "guest/disk/seed.h"

#include "guest/disk/ssh_key.h"
#include "guest/disk/tar_archive.h"

namespace umlfarm::guest {
namespace {

// For sh: within single quotes only a single quote is special.
std::string quoted(std::string_view value) {
  std::string text = "'";
  for (const char c : value) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string environment(const Seed& seed) {
  std::string text;
  const auto line = [&](std::string_view key, std::string_view value) {
    text += "UMLFARM_" + std::string(key) + "=" + quoted(value) + "\n";
  };
  std::string dns;
  for (const auto& server : seed.dns) dns += (dns.empty() ? "" : " ") + server;
  line("SEED_ID", seed.seed_id);
  line("NAME", seed.name);
  line("HOSTNAME", seed.hostname);
  line("MAC", seed.mac);
  line("ADDRESS4", seed.address4);
  line("GATEWAY4", seed.gateway4);
  line("ADDRESS6", seed.address6);
  line("GATEWAY6", seed.gateway6);
  line("DNS", dns);
  line("SWAP", seed.swap ? "1" : "0");
  return text;
}

// The guest's own address rather than 127.0.1.1, so that what it tells others about itself is true.
std::string hosts(const Seed& seed) {
  const std::string& name = seed.hostname;
  const auto dot = name.find('.');
  const std::string names = dot == std::string::npos ? name : name + " " + name.substr(0, dot);
  const auto own = [&](const std::string& cidr) {
    return cidr.substr(0, cidr.find('/')) + " " + names + "\n";
  };
  std::string text = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n";
  if (!seed.address4.empty()) text += own(seed.address4);
  if (!seed.address6.empty()) text += own(seed.address6);
  if (seed.address4.empty() && seed.address6.empty()) text += own("127.0.1.1");
  return text;
}

Result<std::string> authorized_keys(const Seed& seed) {
  std::string text;
  for (const auto& key : seed.ssh_keys) {
    UMLFARM_ASSIGN(const std::string line, check_ssh_key(key));
    text += line + "\n";
  }
  return text;
}

}  // namespace

Result<std::string> seed_tar(const Seed& seed) {
  UMLFARM_TRY(check_seed(seed));
  UMLFARM_ASSIGN(const std::string keys, authorized_keys(seed));
  std::vector<TarEntry> entries{
      {"etc/umlfarm/", 0755, ""},
      {"etc/umlfarm/guest.env", 0644, environment(seed)},
      {"etc/hostname", 0644, seed.hostname + "\n"},
      {"etc/hosts", 0644, hosts(seed)},
      {"etc/machine-id", 0644, seed.machine_id + "\n"},
      {"root/.ssh/", 0700, ""},
      {"root/.ssh/authorized_keys", 0600, keys},
      {"etc/ssh/ssh_host_ed25519_key", 0600, seed.host_key.openssh_private},
      {"etc/ssh/ssh_host_ed25519_key.pub", 0644, seed.host_key.public_line + " root@" + seed.hostname + "\n"},
      {"etc/dropbear/dropbear_ed25519_host_key", 0600, seed.host_key.dropbear_private},
  };
  if (seed.root_password_hash) {
    entries.push_back({"etc/umlfarm/root.hash", 0600, *seed.root_password_hash + "\n"});
  }
  return tar_archive(entries);
}

}  // namespace umlfarm::guest

// The farm's tree on disk. No other file knows it.
//
//   <root>/etc/umlfarm/umlfarm.toml
//   <root>/var/lib/umlfarm/lock                                  held by the one daemon
//   <root>/var/lib/umlfarm/state.db
//   <root>/var/lib/umlfarm/kernels/<digest>/linux
//   <root>/var/lib/umlfarm/images/<digest>/root.img             immutable
//   <root>/var/lib/umlfarm/guests/<id>/{disk.cow,swap.img,seed.tar,console.log,exit.json}
//   <root>/run/umlfarm/umlfarmd.sock
//   <root>/run/umlfarm/netns
//   <root>/run/umlfarm/prometheus.json                            where metrics are, for its file_sd_configs
//   <root>/run/umlfarm/guests/<id>/supervisor.sock
//   <root>/run/umlfarm/jails/<id>                                 where the jail's root is mounted
#pragma once

#include <string>

namespace umlfarm::daemon {

class Paths {
 public:
  // `root` is empty for the machine's own tree, or a directory under which all of it hangs.
  explicit Paths(std::string root) : root_(std::move(root)) {}

  std::string config() const { return root_ + "/etc/umlfarm/umlfarm.toml"; }
  std::string state() const { return root_ + "/var/lib/umlfarm"; }
  std::string lock() const { return state() + "/lock"; }
  std::string database() const { return state() + "/state.db"; }
  std::string kernels() const { return state() + "/kernels"; }
  std::string kernel(const std::string& digest) const { return kernels() + "/" + digest + "/linux"; }
  std::string images() const { return state() + "/images"; }
  std::string image(const std::string& digest) const { return images() + "/" + digest + "/root.img"; }
  std::string guests() const { return state() + "/guests"; }
  std::string guest(const std::string& id) const { return guests() + "/" + id; }
  std::string disk(const std::string& id) const { return guest(id) + "/disk.cow"; }
  std::string swap(const std::string& id) const { return guest(id) + "/swap.img"; }
  std::string seed(const std::string& id) const { return guest(id) + "/seed.tar"; }
  std::string console_log(const std::string& id) const { return guest(id) + "/console.log"; }
  std::string exit_file(const std::string& id) const { return guest(id) + "/exit.json"; }
  std::string run() const { return root_ + "/run/umlfarm"; }
  std::string socket() const { return run() + "/umlfarmd.sock"; }
  std::string targets() const { return run() + "/prometheus.json"; }
  std::string libvirt() const { return run() + "/libvirt"; }
  std::string netns() const { return run() + "/netns"; }
  std::string guest_runs() const { return run() + "/guests"; }
  std::string guest_run(const std::string& id) const { return guest_runs() + "/" + id; }
  std::string supervisor_socket(const std::string& id) const { return guest_run(id) + "/supervisor.sock"; }
  std::string jails() const { return run() + "/jails"; }
  std::string jail(const std::string& id) const { return jails() + "/" + id; }

 private:
  std::string root_;
};

}  // namespace umlfarm::daemon

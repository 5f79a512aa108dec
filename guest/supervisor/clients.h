// Whoever is connected to supervisor.sock.
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "guest/mconsole/client.h"
#include "guest/supervisor/console.h"
#include "guest/supervisor/control.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

// What clients ask for. The supervisor.
class ControlTarget {
 public:
  virtual SupervisorStatus status() const = 0;
  virtual void mconsole(const std::string& command, mconsole::Client::Done done) = 0;
  virtual void stop(std::int64_t patience) = 0;
  virtual void kill() = 0;
  virtual Console& console() = 0;

 protected:
  ~ControlTarget() = default;
};

class Clients {
 public:
  Clients(UniqueFd listener, ControlTarget& target) : listener_(std::move(listener)), target_(target) {}

  // Appends what must be watched; `serve` gets the same entries back.
  void watch(std::vector<pollfd>& watched) const;
  void serve(std::span<const pollfd> watched);

  // A client that doesn't keep up loses output; the guest never waits for one.
  void on_console_output(const std::string& output);
  void on_status_change();
  std::uint64_t dropped() const { return dropped_; }

 private:
  struct Client {
    UniqueFd socket;
    bool watching = false;
    bool attached = false;
    bool gone = false;
    std::string input;  // for the console, not yet taken
  };
  using Handle = std::shared_ptr<Client>;

  void accept();
  void receive(const Handle& client);
  void answer(const Handle& client, const ControlRequest& request);
  void on_attached_packet(Client& client, std::string_view packet);
  void give_input(Client& client);
  static bool send(Client& client, std::string_view packet);

  UniqueFd listener_;
  ControlTarget& target_;
  std::list<Handle> clients_;
  std::uint64_t dropped_ = 0;
};

}  // namespace umlfarm::guest

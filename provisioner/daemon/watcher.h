// Follows the supervisors of all guests: one connection each, on the daemon's loop.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/seq_packet_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "guest/supervisor/control.h"
#include "provisioner/base/result.h"

namespace umlfarm::daemon {

class Watcher {
 public:
  struct Hooks {
    std::function<void(std::int64_t number, const guest::SupervisorStatus& status)> status;
    // The supervisor has gone, or could not be reached.
    std::function<void(std::int64_t number, bool reached)> gone;
  };
  Watcher(boost::asio::io_context& loop, Hooks hooks) : loop_(loop), hooks_(std::move(hooks)) {}

  // Idempotent: a guest that is followed stays so. Thread-safe.
  void follow(std::int64_t number, const std::string& socket);

 private:
  using Socket = boost::asio::generic::seq_packet_protocol::socket;
  boost::asio::awaitable<void> listen(std::int64_t number, Socket socket);
  // What the supervisor has said; false when it has gone.
  bool hear(std::int64_t number, Socket& socket);
  void lost(std::int64_t number, bool reached);

  boost::asio::io_context& loop_;
  Hooks hooks_;
  std::mutex mutex_;
  std::set<std::int64_t> followed_;
};

}  // namespace umlfarm::daemon

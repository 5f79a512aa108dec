// The other end of the daemon's socket: requests, endless answers and two-way channels. Blocking.
#pragma once

#include <boost/json/value.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "provisioner/base/result.h"

namespace umlfarm::api {

// A WebSocket to a console or a port of a guest.
class ClientChannel {
 public:
  virtual ~ClientChannel() = default;

  // Calls `output` with what comes until the other side ends, or until leave().
  virtual Status run(const std::function<void(std::string_view)>& output) = 0;

  // From other threads while run() runs. They wait while the other side does not keep up; false when it has
  // gone.
  virtual bool send(std::string_view data) = 0;
  virtual bool send_text(std::string_view text) = 0;  // a message about the channel rather than in it
  virtual void leave() = 0;
};

class Client {
 public:
  explicit Client(std::string socket) : socket_(std::move(socket)) {}
  const std::string& socket() const { return socket_; }

  // `target` begins with "/v1/"; names in it are of characters that need no escaping. The answer's document,
  // or the error that the daemon answered with. Unavailable when no daemon listens.
  Result<boost::json::value> get(const std::string& target) const;
  Result<boost::json::value> post(const std::string& target, const boost::json::value& body) const;
  Result<boost::json::value> remove(const std::string& target) const;

  // Text, by pieces as it comes; goes on for as long as the daemon sends.
  Status stream(const std::string& target, const std::function<void(std::string_view)>& take) const;

  Result<std::unique_ptr<ClientChannel>> open_channel(const std::string& target) const;

 private:
  Result<boost::json::value> exchange(const char* method, const std::string& target,
                                      const std::string& body) const;

  std::string socket_;
};

}  // namespace umlfarm::api

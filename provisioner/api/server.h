// The daemon's HTTP on a unix socket: connections, peer credentials, JSON, streams and WebSockets. It knows
// no guests; what is asked goes to a Service.
#pragma once

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/value.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::api {

struct Request {
  std::string method;
  std::vector<std::string> path;  // segments after "/v1", decoded
  std::map<std::string, std::string> query;
  std::string body;
  bool upgrade = false;  // a WebSocket is asked for
  uid_t peer = 0;
};

// More text of an endless answer; empty when there is none just now.
using More = std::function<Result<std::string>()>;

struct Response {
  unsigned status = 200;
  std::string type = "application/json";
  std::string body;
  More more;  // set: the answer goes on until the peer leaves or it fails
};

// What a WebSocket is connected to.
struct Channel {
  UniqueFd fd;
  // Packets of a console: binary messages go as "d" + bytes, {"rows","cols"} as "w" + numbers. Otherwise a
  // stream of bytes.
  bool console = false;
  std::string first;  // sent to the peer before anything else
};

class Service {
 public:
  virtual ~Service() = default;
  // Both may block; called from the server's own threads.
  virtual Response handle(const Request& request) = 0;
  virtual Result<Channel> open_channel(const Request& request) = 0;
};

Response json_response(unsigned status, const boost::json::value& value);
Response error_response(const Error& error);

class Server {
 public:
  // Binds `path` (0666: who may use it is decided by peer credentials) and serves root, the daemon's own user
  // and `admins` on `loop`. Blocking work is done by `threads` of its own.
  static Result<std::unique_ptr<Server>> start(boost::asio::io_context& loop, const std::string& path,
                                               std::set<uid_t> admins, Service& service, unsigned threads);
  virtual ~Server() = default;
};

}  // namespace umlfarm::api

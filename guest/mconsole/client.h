// Asks a guest kernel through its management console, one request after the other, each with a deadline.
//
// The socket lies in a directory that the guest kernel owns: no link in it is followed. Both sides name the
// reply socket relative to that directory, so it must be the caller's working directory too.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>

#include "guest/mconsole/protocol.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest::mconsole {

class Client {
 public:
  using Done = std::function<void(Result<Reply>)>;

  // `directory` is borrowed; `socket` is the console's path below it.
  Client(int directory, std::string socket) : directory_(directory), socket_(std::move(socket)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  // `done` is called once, from here or from a later call: Timeout, Unavailable, Invalid or the reply. The
  // time limit (milliseconds) counts from when the request's turn comes.
  void ask(const std::string& command, std::int64_t limit, Done done);

  // To be watched for input; -1 when nothing is under way.
  int descriptor() const { return under_way_ ? reply_socket_.get() : -1; }
  // When to call on_time, by monotonic_ms.
  std::optional<std::int64_t> next() const;
  void on_readable();
  void on_time(std::int64_t now);

 private:
  struct Request {
    std::string command;
    std::int64_t limit;
    Done done;
  };

  void begin_next();
  Status send(const Request& request);
  Status bind_reply_socket();
  Result<UniqueFd> find_console() const;
  void finish(Result<Reply> result);

  int directory_;
  std::string socket_;
  std::deque<Request> queue_;  // the first one is under way when under_way_
  bool under_way_ = false;
  UniqueFd reply_socket_;
  std::string reply_name_;
  Reply reply_;
  std::int64_t deadline_ = 0;
  std::uint64_t count_ = 0;
};

}  // namespace umlfarm::guest::mconsole

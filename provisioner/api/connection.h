// What the client's halves share. Private to this folder.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::api {

using Connection = boost::asio::local::stream_protocol::socket;

Error unreachable(const std::string& socket, const boost::system::error_code& why);
// The error that a body carries.
Error error_in(const std::string& body, unsigned status);

inline Result<Connection> connect(boost::asio::io_context& loop, const std::string& socket) {
  if (socket.size() > 107) return Error(Kind::Invalid, "socket path " + socket + ": longer than 107 bytes");
  Connection connection(loop);
  boost::system::error_code error;
  connection.connect(boost::asio::local::stream_protocol::endpoint(socket), error);
  if (error) return unreachable(socket, error);
  return connection;
}

}  // namespace umlfarm::api

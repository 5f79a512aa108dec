// Carries bytes between a WebSocket and a channel until either side ends.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include "provisioner/api/server.h"

namespace umlfarm::api {

// Answers the upgrade request and takes the channel over.
boost::asio::awaitable<void> relay(
    boost::asio::local::stream_protocol::socket socket,
    const boost::beast::http::request<boost::beast::http::string_body>& upgrade, Channel& channel);

}  // namespace umlfarm::api

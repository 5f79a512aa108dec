// How both servers take what comes.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>

namespace umlfarm::api {

// Gives each peer's socket to `take`, until the acceptor is closed.
template <typename Acceptor, typename Take>
boost::asio::awaitable<void> accept_all(Acceptor& acceptor, Take take) {
  constexpr auto kTuple = boost::asio::as_tuple(boost::asio::use_awaitable);
  for (;;) {
    auto [error, socket] = co_await acceptor.async_accept(kTuple);
    if (error == boost::asio::error::operation_aborted) co_return;
    if (error) {
      // Out of descriptors, most likely: those under way will give some back.
      boost::asio::steady_timer pause(acceptor.get_executor(), std::chrono::milliseconds(100));
      co_await pause.async_wait(kTuple);
      continue;
    }
    take(std::move(socket));
  }
}

}  // namespace umlfarm::api

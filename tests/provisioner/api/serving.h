// A real server on a socket of a test's own, and what stands behind it.
#pragma once

#include <gtest/gtest.h>
#include <signal.h>

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "provisioner/api/client.h"
#include "provisioner/api/server.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::api {

// Answers as it is told, before anything is asked; remembers what was asked.
class FakeService final : public Service {
 public:
  std::function<Response(const Request&)> answer = [](const Request&) {
    return json_response(200, {{"good", true}});
  };
  std::function<Result<Channel>(const Request&)> open = [](const Request&) {
    return Error(Kind::NotFound, "no channel");
  };

  Response handle(const Request& request) override {
    remember(request);
    return answer(request);
  }
  Result<Channel> open_channel(const Request& request) override {
    remember(request);
    return open(request);
  }

  std::vector<Request> asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void remember(const Request& request) {
    const std::lock_guard lock(mutex_);
    asked_.push_back(request);
  }

  mutable std::mutex mutex_;
  std::vector<Request> asked_;
};

class Serving : public ::testing::Test {
 protected:
  explicit Serving(const std::set<uid_t>& admins = {}) {
    // As the daemon does: a peer that has gone is an error, not the end.
    (void)::signal(SIGPIPE, SIG_IGN);
    auto started = Server::start(loop_, socket(), admins, service_, 4);
    if (!started) {
      ADD_FAILURE() << started.error().message();
      return;
    }
    server_ = *std::move(started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Serving() override {
    loop_.stop();
    if (thread_.joinable()) thread_.join();
    server_.reset();
  }

  std::string socket() const { return directory_ / "s"; }
  Client client() const { return Client(socket()); }
  void expect_still_serves() const {
    const auto answer = client().get("/v1/status");
    EXPECT_TRUE(answer) << answer.error().message();
  }

  const testing::TemporaryDirectory directory_;
  FakeService service_;

 private:
  boost::asio::io_context loop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace umlfarm::api

// A client's channel, run in a thread, and the end that it is connected to.
#pragma once

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <future>

#include "tests/provisioner/api/serving.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::api {

class Channels : public Serving {
 protected:
  void serve_channel(int type, bool console, const std::string& first = "") {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
    far_.reset(ends[0]);
    const timeval patience{60, 0};
    ::setsockopt(far_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    near_ = std::make_shared<UniqueFd>(ends[1]);
    service_.open = [near = near_, console, first](const Request&) -> Result<Channel> {
      return Channel{std::move(*near), console, first};
    };
  }

  // Opens the channel and runs it in a thread of its own.
  void join(const std::function<void(std::string_view)>& output = {}) {
    auto opened = client().open_channel("/v1/guests/alice/tunnel?port=22");
    ASSERT_THAT(opened, testing::is_ok());
    channel_ = *std::move(opened);
    ended_ = std::async(std::launch::async, [this, output] {
      return channel_->run([this, output](std::string_view data) {
        if (output) output(data);
        const std::lock_guard lock(mutex_);
        got_ += data;
        changed_.notify_all();
      });
    });
  }

  void expect_ended() {
    ASSERT_EQ(ended_.wait_for(std::chrono::seconds(60)), std::future_status::ready);
    EXPECT_THAT(ended_.get(), testing::is_ok());
  }
  std::string got(std::size_t size) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [&] { return got_.size() >= size; });
    return got_;
  }

  // One packet, or as many bytes as have come; empty at the end.
  std::string far_read() const {
    std::string buffer(65536, '\0');
    const ssize_t size = ::recv(far_.get(), buffer.data(), buffer.size(), 0);
    EXPECT_GE(size, 0) << std::strerror(errno);
    buffer.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return buffer;
  }
  std::string far_read(std::size_t size) const {
    std::string data;
    while (data.size() < size) {
      const std::string piece = far_read();
      if (piece.empty()) break;
      data += piece;
    }
    return data;
  }
  void far_write(const std::string& data) const {
    EXPECT_THAT(posix::write_all(far_.get(), data), testing::is_ok());
  }

  UniqueFd far_;
  std::shared_ptr<UniqueFd> near_;
  std::unique_ptr<ClientChannel> channel_;
  std::future<Status> ended_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string got_;
};

}  // namespace umlfarm::api

// A network namespace that lives as long as its name in the file system, and a thread that lives in it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "provisioner/base/result.h"
#include "provisioner/base/unique_fd.h"

namespace umlfarm::guest {

class NetNamespace {
 public:
  // Opens the namespace mounted at `path`, or makes one there. The caller's own namespace is not touched.
  static Result<std::unique_ptr<NetNamespace>> create_or_open(const std::string& path);
  // The name goes, and with it the namespace once nobody is in it. Idempotent.
  static Status remove(const std::string& path);

  NetNamespace(const NetNamespace&) = delete;
  NetNamespace& operator=(const NetNamespace&) = delete;
  ~NetNamespace();

  // Runs `work` in the namespace, one at a time in the order of asking, and waits for it. Sockets made there
  // stay in the namespace and work anywhere.
  template <typename Work>
  auto run(Work work) {
    std::packaged_task<decltype(work())()> task(std::move(work));
    auto result = task.get_future();
    post([&task] { task(); });
    return result.get();
  }

 private:
  NetNamespace() = default;
  void post(std::function<void()> work);
  void live(const std::stop_token& stopped);

  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::deque<std::function<void()>> queue_;
  std::jthread thread_;
};

}  // namespace umlfarm::guest

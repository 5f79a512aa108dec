// Which host processor a guest runs on: the one with the fewest guests.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace umlfarm::daemon {

// A guest system call wakes one host process and puts another to sleep; across two processors that costs four
// to six times as much, so that a guest stays on one. Thread-safe.
class Processors {
 public:
  // Those that this process may use.
  static std::vector<int> available();
  explicit Processors(std::vector<int> processors) : processors_(std::move(processors)) {}

  // The guest's processor: the one that it has, or the least used one from now on.
  int assign(const std::string& guest);
  // What a supervisor says that its guest runs on; -1 is no news.
  void learn(const std::string& guest, int processor);
  // -1 where it has none.
  int of(const std::string& guest) const;
  void release(const std::string& guest);

 private:
  mutable std::mutex mutex_;
  std::vector<int> processors_;
  std::map<std::string, int> assigned_;
};

}  // namespace umlfarm::daemon

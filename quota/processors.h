// Which of the host's processors a guest runs on: those with the fewest guests.
#pragma once

#include <sys/types.h>

#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace umlfarm::quota {

// A guest system call wakes one host process and puts another to sleep; across two processors that costs four
// to six times as much, so that a guest of one processor stays on one. Thread-safe.
class Processors {
 public:
  // Those that this process may use.
  static std::vector<int> available();
  // Those that a thread may use; none for one that is gone.
  static std::vector<int> of_thread(pid_t thread);
  // Threads that are gone are no matter.
  static void move(const std::vector<pid_t>& threads, int processor);
  explicit Processors(std::vector<int> processors) : processors_(std::move(processors)) {}

  // The guest's processors: those that it has, or the `count` least used ones from now on; all where there
  // are fewer.
  std::vector<int> assign(const std::string& guest, unsigned count);
  // What a supervisor says that its guest runs on; none is no news.
  void learn(const std::string& guest, const std::vector<int>& processors);
  // The guest is about to run there, and nowhere else.
  void put(const std::string& guest, int processor);
  // All guests that have any.
  std::map<std::string, std::vector<int>> all() const;
  // Empty where it has none.
  std::vector<int> of(const std::string& guest) const;
  void release(const std::string& guest);

 private:
  mutable std::mutex mutex_;
  std::vector<int> processors_;
  std::map<std::string, std::vector<int>> assigned_;
};

}  // namespace umlfarm::quota

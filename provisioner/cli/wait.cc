#include "provisioner/cli/wait.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <chrono>
#include <iostream>
#include <map>
#include <thread>

#include "provisioner/base/clock.h"
#include "provisioner/base/printable.h"

namespace umlfarm::cli {

namespace json = boost::json;

namespace {

constexpr std::int64_t kQuiet = 1000;

const char* word_for(Goal goal) {
  switch (goal) {
    case Goal::Ready:
      return "ready";
    case Goal::Stopped:
      return "stopped";
    case Goal::Gone:
      return "gone";
  }
  return "";
}

// Says how far it is: over and over on one line of a terminal, else a line whenever it changes.
class Progress {
 public:
  explicit Progress(Goal goal, std::size_t all) : goal_(goal), all_(all) {}
  ~Progress() {
    if (shown_ && terminal_) std::cerr << "\r\033[K" << std::flush;
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(std::size_t reached) {
    const std::int64_t passed = monotonic_ms() - begun_;
    if (passed < kQuiet || (!terminal_ && shown_ && reached == last_)) return;
    std::cerr << (terminal_ ? "\r\033[K" : "") << "waiting: " << reached << " of " << all_ << " "
              << word_for(goal_) << ", " << passed / 1000 << " s" << (terminal_ ? "" : "\n") << std::flush;
    shown_ = true;
    last_ = reached;
  }

 private:
  Goal goal_;
  std::size_t all_;
  std::int64_t begun_ = monotonic_ms();
  bool terminal_ = ::isatty(2) == 1;
  bool shown_ = false;
  std::size_t last_ = 0;
};

Result<std::map<std::string, json::value>> look(const api::Client& client,
                                                const std::vector<std::string>& names) {
  std::map<std::string, json::value> guests;
  if (names.size() == 1) {
    auto guest = client.get("/v1/guests/" + names[0]);
    if (guest) {
      guests[names[0]] = *std::move(guest);
    } else if (guest.error().kind() != Kind::NotFound) {
      return guest.error();
    }
    return guests;
  }
  UMLFARM_ASSIGN(const json::value document, client.get("/v1/guests"));
  for (const json::value& guest : document.at("guests").as_array()) {
    guests[json::value_to<std::string>(guest.at("name"))] = guest;
  }
  return guests;
}

}  // namespace

Verdict judge(const json::value& guest, Goal goal, std::int64_t after_ms) {
  const std::string_view state = guest.at("state").as_string();
  const bool stands = state == "stopped" || state == "suspended" || state == "failed";
  if (goal == Goal::Stopped && stands) return {Verdict::Step::Reached, {}};
  if (goal != Goal::Ready) return {};
  if (state == "ready" && guest.at("started_ms").to_number<std::int64_t>() > after_ms) {
    return {Verdict::Step::Reached, {}};
  }
  if (stands || state == "deleting") {
    return {Verdict::Step::Failed,
            std::string(state) + ": " + printable(json::value_to<std::string>(guest.at("reason")))};
  }
  return {};
}

Status wait_for(const api::Client& client, const std::vector<std::string>& names, Goal goal,
                std::int64_t limit_ms, std::int64_t after_ms) {
  const std::int64_t begun = monotonic_ms();
  Progress progress(goal, names.size());
  for (;;) {
    UMLFARM_ASSIGN(const auto guests, look(client, names));
    std::string missing;
    std::size_t reached = 0;
    for (const std::string& name : names) {
      const auto found = guests.find(name);
      Verdict verdict;
      if (found == guests.end()) {
        verdict = goal == Goal::Gone ? Verdict{Verdict::Step::Reached, {}}
                                     : Verdict{Verdict::Step::Failed, "it is gone"};
      } else {
        verdict = judge(found->second, goal, after_ms);
      }
      if (verdict.step == Verdict::Step::Failed) {
        return Error(Kind::Unavailable, "guest '" + name + "' does not become " + word_for(goal) + ": " +
                                            verdict.reason + "; see 'umlfarm logs " + name + "'");
      }
      if (verdict.step == Verdict::Step::Reached) {
        ++reached;
      } else {
        missing += (missing.empty() ? "" : ", ") + name;
      }
    }
    if (reached == names.size()) return {};
    const std::int64_t passed = monotonic_ms() - begun;
    if (passed > limit_ms) {
      return Error(Kind::Timeout, "not " + std::string(word_for(goal)) + " after " +
                                      std::to_string(limit_ms / 1000) + " s: " + missing +
                                      "; it goes on in the background, see 'umlfarm list'");
    }
    progress.show(reached);
    std::this_thread::sleep_for(std::chrono::milliseconds(passed < kQuiet ? 10 : 100));
  }
}

}  // namespace umlfarm::cli

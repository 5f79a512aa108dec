// Waits until guests are where they were asked to be, with a word about it where that takes over a second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "provisioner/api/client.h"
#include "provisioner/base/result.h"

namespace umlfarm::cli {

enum class Goal { Ready, Stopped, Gone };

// What a guest's document means on the way to a goal. Pure.
struct Verdict {
  enum class Step { Going, Reached, Failed };
  Step step = Step::Going;
  std::string reason;  // when Failed
};
// `after_ms`: only a start later than this counts as Ready, for a restart.
Verdict judge(const boost::json::value& guest, Goal goal, std::int64_t after_ms);

// Timeout names the guests that have not arrived after `limit_ms`; Unavailable says why one never will.
Status wait_for(const api::Client& client, const std::vector<std::string>& names, Goal goal,
                std::int64_t limit_ms, std::int64_t after_ms = 0);

}  // namespace umlfarm::cli

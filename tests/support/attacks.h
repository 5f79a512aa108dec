// What a guest can do to its neighbours, as commands of the image "tiny". Each goes on for as long as the
// guest.
#pragma once

#include <string>
#include <vector>

namespace umlfarm::testing {

struct Attack {
  const char* name;
  std::string command;
};

inline std::vector<Attack> attacks() {
  return {
      {"memory bomb", "while :; do dd if=/dev/zero of=/dev/null bs=400M count=1; done"},
      {"fork bomb", "b() { b | b & }; b; sleep 1000"},
      {"disk filler", "while :; do dd if=/dev/zero of=/root/fill bs=1M; sync; rm /root/fill; done"},
      {"fsync storm",
       "for i in 1 2 3 4; do (while :; do dd if=/dev/zero of=/root/f$i bs=4k count=1 conv=fsync; done) & "
       "done; wait"},
      {"packet flood", "for i in 1 2 3 4; do ping -A -s 1400 10.77.0.1 & done; wait"},
      {"log flood", "while :; do yes 'all work and no play' | head -n 100000 >/dev/console; done"},
  };
}

// In the background, so that whoever starts it does not wait for it.
inline std::string begin(const Attack& attack) {
  return "(sleep 0.2; " + attack.command + ") >/dev/null 2>&1 &";
}

}  // namespace umlfarm::testing

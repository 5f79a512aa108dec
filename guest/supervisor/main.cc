// umlfarm-supervisor: one guest's keeper. Started by umlfarmd, and outlives it.
#include <cstdio>

#include "guest/supervisor/spec.h"
#include "guest/supervisor/supervisor.h"

int main(int argc, char** argv) {
  auto spec = umlfarm::guest::parse_arguments({argv + 1, argv + argc});
  if (!spec) {
    std::fprintf(stderr, "umlfarm-supervisor: %s; it is started by umlfarmd\n",
                 spec.error().message().c_str());
    return 2;
  }
  return umlfarm::guest::supervise(*std::move(spec));
}

#include <gtest/gtest.h>

#include "guest/boot/command_line.h"

namespace umlfarm::guest {
namespace {

TEST(FindLoopsPerJiffy, ReadsWhatTheKernelPrinted) {
  struct Case {
    const char* log;
    std::uint64_t loops;
  };
  for (const auto& [log, loops] : std::initializer_list<Case>{
           {"Calibrating delay loop... 8460.69 BogoMIPS (lpj=42303488)\r\n", 42303488},
           {"Linux version 6.12\r\nCalibrating delay loop... 1.00 BogoMIPS (lpj=5000)\r\npid_max: 32768\r\n",
            5000},
           {"BogoMIPS (lpj=1)", 1},
           {"BogoMIPS (lpj=18446744073709551615)", 18446744073709551615U},
           {"BogoMIPS (lpj=7", 7},  // the log ends there
           {"BogoMIPS (lpj=7)\nBogoMIPS (lpj=8)", 7},
       }) {
    EXPECT_EQ(find_loops_per_jiffy(log), loops) << log;
  }
}

TEST(FindLoopsPerJiffy, GivesZeroWhereTheLogHasNone) {
  for (const char* log : {"", "Calibrating delay loop... ", "Kernel command line: lpj=5000 mem=64M",
                          "BogoMIPS (lpj=", "BogoMIPS (lpj=)", "BogoMIPS (lpj=x5)", "BogoMIPS (lpj=-5)",
                          "BogoMIPS (lpj= 5)", "BogoMIPS (lpj=18446744073709551616)", "BogoMIPS (lpj"}) {
    EXPECT_EQ(find_loops_per_jiffy(log), 0U) << log;
  }
}

}  // namespace
}  // namespace umlfarm::guest

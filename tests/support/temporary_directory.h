// A real directory of a test's own, removed at the end.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "provisioner/base/posix.h"

namespace umlfarm::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = "/tmp/umlfarm-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    const auto removed = posix::remove_tree(path_);
    EXPECT_TRUE(removed) << removed.error().message();
  }

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace umlfarm::testing

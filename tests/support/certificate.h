// A certificate for 127.0.0.1 that nobody but itself vouches for.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace umlfarm::testing {

struct Certificate {
  std::string certificate;  // files in PEM
  std::string key;
};

inline Certificate make_certificate(const TemporaryDirectory& directory) {
  const Certificate made{directory / "certificate.pem", directory / "key.pem"};
  const Ran ran = run_program({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                               "-subj", "/CN=farm", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                               made.key, "-out", made.certificate});
  EXPECT_EQ(ran.code, 0) << ran.err;
  return made;
}

}  // namespace umlfarm::testing

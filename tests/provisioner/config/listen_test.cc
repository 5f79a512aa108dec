#include <gtest/gtest.h>

#include "provisioner/config/config.h"
#include "tests/support/result_matchers.h"

namespace umlfarm::config {
namespace {

using testing::is_error;
using testing::is_ok;

TEST(Listen, IsReadAndWrittenTheSame) {
  const struct {
    const char* text;
    const char* address;
    std::uint16_t port;
    bool loopback;
  } rows[] = {{"127.0.0.1:9753", "127.0.0.1", 9753, true},
              {"127.9.9.9:1", "127.9.9.9", 1, true},
              {"0.0.0.0:65535", "0.0.0.0", 65535, false},
              {"10.1.2.3:80", "10.1.2.3", 80, false},
              {"[::1]:9753", "::1", 9753, true},
              {"[::]:9753", "::", 9753, false},
              {"", "", 0, true}};
  for (const auto& row : rows) {
    const auto listen = parse_listen(row.text);
    ASSERT_THAT(listen, is_ok()) << row.text;
    EXPECT_EQ(listen->address, row.address);
    EXPECT_EQ(listen->port, row.port);
    EXPECT_EQ(listen->loopback, row.loopback) << row.text;
    EXPECT_EQ(listen->str(), row.text);
  }
}

TEST(Listen, IsRefusedWhereItIsNoAddressAndPort) {
  for (const char* const text : {"127.0.0.1", ":9753", "9753", "localhost:9753", "127.0.0.1:0",
                                 "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:x", "127.0.0.1:9753 ",
                                 "::1:9753", "[127.0.0.1]:9753", "[]:1", "[::1]", "[::1]9753", "1.2.3:4"}) {
    EXPECT_THAT(parse_listen(text), is_error(Kind::Invalid, "address of this host and a port")) << text;
  }
}

TEST(Listen, WhereOthersReachItTakesTlsAndAToken) {
  const std::string open = "[metrics]\nlisten = '0.0.0.0:9753'\n";
  const std::string tls = "certificate = '/c'\nkey = '/k'\n";
  const std::string token = "token_file = '/t'\n";
  for (const std::string& more : {std::string(), tls, token}) {
    EXPECT_THAT(parse(open + more, "f"), is_error(Kind::Invalid, "f:2: listen = '0.0.0.0:9753'")) << more;
  }
  EXPECT_THAT(parse(open + tls + token, "f"), is_ok());
}

}  // namespace
}  // namespace umlfarm::config

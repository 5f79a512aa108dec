// HTTP over TCP for who only reads: pages that are ready, each by its path. With a certificate over TLS; with
// a token for those who know it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "provisioner/base/result.h"

namespace umlfarm::api {

struct Page {
  unsigned status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::shared_ptr<const std::string> body;  // never null
  bool open = false;                        // also without the token
};

// Called on the loop: must not block. `path` begins with "/" and is what was asked, without a query.
using Pages = std::function<Page(const std::string& path)>;

class PageServer {
 public:
  struct Settings {
    std::string address;  // of this host's: "127.0.0.1", "::"
    std::uint16_t port = 0;
    // Files in PEM. Empty: no TLS.
    std::string certificate;
    std::string key;
    std::string token;  // that must be named as "Authorization: Bearer TOKEN"; empty: none must
  };

  // Conflict where another program has the port; Invalid for a certificate or key that can't be used.
  static Result<std::unique_ptr<PageServer>> start(boost::asio::io_context& loop, const Settings& settings,
                                                   Pages pages);
  virtual ~PageServer() = default;
};

}  // namespace umlfarm::api

#include "provisioner/base/ids.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/random.h>

#include <array>
#include <cstdlib>
#include <memory>
#include <span>
#include <vector>

#include "provisioner/base/posix.h"

namespace umlfarm {
namespace {

constexpr std::size_t kMaxName = 40;

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string hex(std::span<const unsigned char> bytes) {
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const unsigned char byte : bytes) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr);
  }
  void add(const void* data, std::size_t size) { EVP_DigestUpdate(context_.get(), data, size); }
  std::string finish() {
    std::array<unsigned char, 32> digest{};
    EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr);
    return hex(digest);
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

}  // namespace

Status check_name(std::string_view what, std::string_view name) {
  bool good = !name.empty() && name.size() <= kMaxName && is_lower(name.front()) && name.back() != '-';
  for (const char c : name) good = good && (is_lower(c) || is_digit(c) || c == '-');
  if (good) return {};
  return Error(Kind::Invalid, std::string(what) + " '" + std::string(name) + "' is not allowed: use 1 to " +
                                  std::to_string(kMaxName) +
                                  " of a-z, 0-9 and '-', beginning with a letter and not ending in '-'");
}

std::string guest_id(std::int64_t number) { return "g" + std::to_string(number); }

std::string random_hex(std::size_t bytes) {
  std::vector<unsigned char> data(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got = ::getrandom(data.data() + have, bytes - have, 0);
    if (got < 0) std::abort();  // Only EFAULT, EINVAL and ENOSYS remain: none can be handled.
    have += static_cast<std::size_t>(got);
  }
  return hex(data);
}

Result<std::string> sha256_file(const std::string& path) {
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_RDONLY));
  Sha256 hash;
  std::vector<char> chunk(1U << 20U);
  while (true) {
    const ssize_t got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0) return system_error("read " + path);
    if (got == 0) return hash.finish();
    hash.add(chunk.data(), static_cast<std::size_t>(got));
  }
}

std::string sha256(std::string_view data) {
  Sha256 hash;
  hash.add(data.data(), data.size());
  return hash.finish();
}

}  // namespace umlfarm

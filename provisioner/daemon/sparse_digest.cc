#include "provisioner/daemon/sparse_digest.h"

#include <linux/fs.h>
#include <openssl/evp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <string_view>
#include <vector>

#include "provisioner/base/posix.h"

namespace umlfarm::daemon {
namespace {

constexpr std::size_t kChunk = std::size_t{1} << 20U;
using Hash = std::array<unsigned char, 32>;

Hash hash_of(const void* data, std::size_t size) {
  Hash hash{};
  ::EVP_Digest(data, size, hash.data(), nullptr, ::EVP_sha256(), nullptr);
  return hash;
}

std::string hex(const Hash& hash) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : hash) {
    text += kDigits[byte >> 4U];
    text += kDigits[byte & 15U];
  }
  return text;
}

// Reads a file by chunks and digests them; copies them on the way when `to` is given. A hole costs nothing,
// and stays one.
class ChunkReader {
 public:
  ChunkReader(int from, int to, off_t size) : from_(from), to_(to), size_(size), buffer_(kChunk) {}

  Result<std::string> run() {
    std::string hashes;
    const Hash hole = hash_of(buffer_.data(), kChunk);
    for (off_t at = 0; at < size_; at += static_cast<off_t>(kChunk)) {
      const auto length = static_cast<std::size_t>(std::min<off_t>(size_ - at, static_cast<off_t>(kChunk)));
      Hash hash = hole;
      if (has_data(at, length) || length < kChunk) {
        UMLFARM_ASSIGN(hash, read_chunk(at, length));
      }
      hashes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
    }
    return hex(hash_of(hashes.data(), hashes.size()));
  }

 private:
  bool has_data(off_t at, std::size_t length) {
    if (next_data_ < at) {
      next_data_ = ::lseek(from_, at, SEEK_DATA);
      // ENXIO: nothing but a hole follows. Anything else: read it to see.
      if (next_data_ < 0) next_data_ = errno == ENXIO ? size_ : at;
    }
    return next_data_ < at + static_cast<off_t>(length);
  }

  Result<Hash> read_chunk(off_t at, std::size_t length) {
    const std::span<std::uint8_t> data(buffer_.data(), length);
    UMLFARM_TRY(posix::pread_all(from_, data, at));
    const bool zero = std::all_of(data.begin(), data.end(), [](std::uint8_t byte) { return byte == 0; });
    if (to_ >= 0 && !zero) UMLFARM_TRY(posix::pwrite_all(to_, data, at));
    return hash_of(data.data(), data.size());
  }

  int from_;
  int to_;
  off_t size_;
  off_t next_data_ = -1;
  std::vector<std::uint8_t> buffer_;
};

}  // namespace

Result<std::string> digest_sparse(int from, int to) {
  struct stat status {};
  if (::fstat(from, &status) < 0) return system_error("fstat");
  if (to >= 0 && ::ftruncate(to, status.st_size) < 0) return system_error("size the copy");
  const bool shared = to >= 0 && ::ioctl(to, FICLONE, from) == 0;
  // Of the copy, which nobody changes.
  return shared ? ChunkReader(to, -1, status.st_size).run() : ChunkReader(from, to, status.st_size).run();
}

}  // namespace umlfarm::daemon

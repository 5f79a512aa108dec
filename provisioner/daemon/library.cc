#include "provisioner/daemon/library.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <openssl/evp.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "provisioner/base/clock.h"
#include "provisioner/base/ids.h"
#include "provisioner/base/posix.h"

namespace umlfarm::daemon {
namespace {

namespace json = boost::json;

struct Source {
  std::string file;
  CatalogEntry entry;  // its digest empty where no manifest names one
};

std::string manifest_text(const json::object& manifest, const char* key) {
  const json::value* const value = manifest.if_contains(key);
  return value != nullptr && value->is_string() ? json::value_to<std::string>(*value) : "";
}

Result<json::object> read_manifest(const std::string& directory) {
  UMLFARM_ASSIGN(const std::string text, posix::read_file(directory + "/manifest.json"));
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object())
    return Error(Kind::Invalid, directory + "/manifest.json: not a JSON object");
  return value.as_object();
}

Result<Source> find_source(Catalog which, const std::string& from) {
  UMLFARM_ASSIGN(const struct stat status, posix::stat(from));
  Source source;
  if (!S_ISDIR(status.st_mode)) {
    if (which == Catalog::Images)
      return Error(Kind::Invalid, from + ": an image is a directory with root.img and manifest.json");
    source.file = from;
    source.entry.version = "unknown";
    return source;
  }
  UMLFARM_ASSIGN(const json::object manifest, read_manifest(from));
  source.file = from + (which == Catalog::Images ? "/root.img" : "/linux");
  source.entry.digest = manifest_text(manifest, "sha256");
  source.entry.name = manifest_text(manifest, which == Catalog::Images ? "name" : "flavour");
  source.entry.version = manifest_text(manifest, which == Catalog::Images ? "release" : "version");
  return source;
}

class Digest {
 public:
  Digest() : context_(::EVP_MD_CTX_new(), ::EVP_MD_CTX_free) {
    ::EVP_DigestInit_ex(context_.get(), ::EVP_sha256(), nullptr);
  }
  void add(const char* data, std::size_t size) { ::EVP_DigestUpdate(context_.get(), data, size); }
  std::string hex() {
    std::array<unsigned char, 32> bytes{};
    ::EVP_DigestFinal_ex(context_.get(), bytes.data(), nullptr);
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (const unsigned char byte : bytes) {
      text += kDigits[byte >> 4U];
      text += kDigits[byte & 15U];
    }
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

// Holes stay holes, and cost only their share of the digest.
class SparseCopy {
 public:
  SparseCopy(int from, int to, off_t size) : from_(from), to_(to), size_(size), buffer_(1U << 20U) {}

  Result<std::string> run() {
    if (::ftruncate(to_, size_) < 0) return system_error("size the copy");
    const bool shared = ::ioctl(to_, FICLONE, from_) == 0;
    for (off_t at = 0; at < size_;) {
      off_t data = ::lseek(from_, at, SEEK_DATA);
      if (data < 0) data = size_;
      add_zeros(data - at);
      off_t hole = data < size_ ? ::lseek(from_, data, SEEK_HOLE) : size_;
      if (hole < 0) hole = size_;
      UMLFARM_TRY(copy(data, hole, !shared));
      at = hole;
    }
    return digest_.hex();
  }

 private:
  void add_zeros(off_t count) {
    static const std::vector<char> zeros(1U << 20U);
    for (; count > 0; count -= std::min<off_t>(count, static_cast<off_t>(zeros.size()))) {
      digest_.add(zeros.data(),
                  static_cast<std::size_t>(std::min<off_t>(count, static_cast<off_t>(zeros.size()))));
    }
  }
  Status copy(off_t begin, off_t end, bool write) {
    for (off_t at = begin; at < end;) {
      const auto wanted =
          static_cast<std::size_t>(std::min<off_t>(end - at, static_cast<off_t>(buffer_.size())));
      const ssize_t size = ::pread(from_, buffer_.data(), wanted, at);
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) return system_error("read the file", size == 0 ? EIO : errno);
      digest_.add(buffer_.data(), static_cast<std::size_t>(size));
      if (write) {
        const auto bytes =
            std::span(reinterpret_cast<const std::uint8_t*>(buffer_.data()), static_cast<std::size_t>(size));
        UMLFARM_TRY(posix::pwrite_all(to_, bytes, at));
      }
      at += size;
    }
    return {};
  }

  int from_;
  int to_;
  off_t size_;
  std::vector<char> buffer_;
  Digest digest_;
};

// Into `staging`; the digest of what was copied.
Result<std::string> copy_in(const Source& source, const std::string& staging, const char* file, mode_t mode) {
  UMLFARM_ASSIGN(const UniqueFd from, posix::open(source.file, O_RDONLY));
  struct stat status {};
  if (::fstat(from.get(), &status) < 0 || !S_ISREG(status.st_mode)) {
    return Error(Kind::Invalid, source.file + ": not a regular file");
  }
  UMLFARM_ASSIGN(const UniqueFd to, posix::open(staging + "/" + file, O_RDWR | O_CREAT | O_EXCL, 0600));
  UMLFARM_ASSIGN(std::string digest, SparseCopy(from.get(), to.get(), status.st_size).run());
  if (::fchmod(to.get(), mode) < 0 || ::fsync(to.get()) < 0) return system_error("keep " + staging);
  return digest;
}

std::string home(Catalog which, const Paths& paths) {
  return which == Catalog::Images ? paths.images() : paths.kernels();
}

Result<CatalogEntry> place(Catalog which, const Paths& paths, const Source& source,
                           const std::string& staging) {
  const char* const file = which == Catalog::Images ? "root.img" : "linux";
  UMLFARM_ASSIGN(const std::string digest,
                 copy_in(source, staging, file, which == Catalog::Images ? 0444 : 0755));
  if (!source.entry.digest.empty() && source.entry.digest != digest) {
    return Error(Kind::Invalid, source.file + " has digest " + digest + ", its manifest says " +
                                    source.entry.digest + ": it was changed; build it again");
  }
  CatalogEntry entry = source.entry;
  entry.digest = digest;
  UMLFARM_ASSIGN(const struct stat status, posix::stat(staging + "/" + file));
  entry.size = static_cast<std::uint64_t>(status.st_size);
  entry.added_ms = wall_clock_ms();
  const std::string target = home(which, paths) + "/" + digest;
  if (!posix::exists(target)) {
    if (::chmod(staging.c_str(), 0711) < 0) return system_error("chmod " + staging);
    UMLFARM_TRY(posix::sync_directory(staging));
    if (::rename(staging.c_str(), target.c_str()) < 0) return system_error("rename to " + target);
    UMLFARM_TRY(posix::sync_directory(home(which, paths)));
  }
  return entry;
}

}  // namespace

Result<CatalogEntry> take_in(Catalog which, const Paths& paths, const std::string& from,
                             const std::string& name) {
  UMLFARM_ASSIGN(Source source, find_source(which, from));
  if (!name.empty()) source.entry.name = name;
  UMLFARM_TRY(check_name(which == Catalog::Images ? "image name" : "kernel name", source.entry.name));
  const std::string staging = home(which, paths) + "/.new-" + random_hex(8);
  UMLFARM_TRY(posix::make_directories(staging, 0700));
  Result<CatalogEntry> entry = place(which, paths, source, staging);
  const Status cleared = posix::remove_tree(staging);
  if (entry && !cleared) return cleared.error();
  return entry;
}

Status remove_files(Catalog which, const Paths& paths, const std::string& digest) {
  return posix::remove_tree(home(which, paths) + "/" + digest);
}

Status sweep(Catalog which, const Paths& paths, const std::vector<CatalogEntry>& entries) {
  UMLFARM_ASSIGN(const std::vector<std::string> names, posix::list_directory(home(which, paths)));
  for (const std::string& name : names) {
    const bool known = std::any_of(entries.begin(), entries.end(),
                                   [&](const CatalogEntry& entry) { return entry.digest == name; });
    if (!known) UMLFARM_TRY(remove_files(which, paths, name));
  }
  return {};
}

}  // namespace umlfarm::daemon

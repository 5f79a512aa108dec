#include "guest/disk/host_key.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "guest/disk/base64.h"
#include "guest/disk/ssh_wire.h"

namespace umlfarm::guest {
namespace {

constexpr std::string_view kType = "ssh-ed25519";
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kPemColumns = 70;

// Wiped when it goes, as are the buffers below that hold a private key.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string bytes) : bytes_(std::move(bytes)) {}
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
  std::string& operator*() { return bytes_; }

 private:
  std::string bytes_;
};

Error failed(std::string_view what) {
  return {Kind::Internal, "make a host key: OpenSSL could not " + std::string(what)};
}

using RawGetter = int (*)(const EVP_PKEY*, unsigned char*, std::size_t*);

bool get_raw(const EVP_PKEY* key, RawGetter get, std::string& out) {
  out.resize(kKeyBytes);
  std::size_t length = kKeyBytes;
  return get(key, reinterpret_cast<unsigned char*>(out.data()), &length) == 1 && length == kKeyBytes;
}

// PROTOCOL.key of OpenSSH: two equal numbers in front show a reader that it decrypted rightly.
void put_private_part(std::string& out, std::uint32_t check, std::string_view public_key,
                      std::string_view seed_and_public) {
  put_wire_u32(out, check);
  put_wire_u32(out, check);
  put_wire_string(out, kType);
  put_wire_string(out, public_key);
  put_wire_string(out, seed_and_public);
  put_wire_string(out, "");  // comment
  for (char pad = 1; out.size() % 8 != 0; ++pad) out += pad;
}

std::string pem(std::string_view binary) {
  Secret text(base64_encode(binary));
  std::string out = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
  out.reserve(out.size() + (*text).size() * 2);
  for (std::size_t at = 0; at < (*text).size(); at += kPemColumns) {
    out.append(*text, at, kPemColumns);
    out += '\n';
  }
  return out + "-----END OPENSSH PRIVATE KEY-----\n";
}

std::string openssh_private(std::uint32_t check, std::string_view public_blob, std::string_view public_key,
                            std::string_view seed_and_public) {
  Secret part;
  (*part).reserve(512);
  put_private_part(*part, check, public_key, seed_and_public);
  Secret file;
  (*file).reserve(1024);
  (*file).append("openssh-key-v1", sizeof "openssh-key-v1");  // With its NUL.
  put_wire_string(*file, "none");                             // cipher
  put_wire_string(*file, "none");                             // key derivation
  put_wire_string(*file, "");                                 // its options
  put_wire_u32(*file, 1);                                     // keys
  put_wire_string(*file, public_blob);
  put_wire_string(*file, *part);
  return pem(*file);
}

std::string dropbear_private(std::string_view seed_and_public) {
  std::string file;
  put_wire_string(file, kType);
  put_wire_string(file, seed_and_public);
  return file;
}

}  // namespace

Result<HostKey> make_host_key() {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"),
                                                           EVP_PKEY_free);
  if (!key) return failed("generate an ed25519 key");
  std::string public_key;
  Secret secret;
  (*secret).reserve(2 * kKeyBytes);
  if (!get_raw(key.get(), EVP_PKEY_get_raw_public_key, public_key) ||
      !get_raw(key.get(), EVP_PKEY_get_raw_private_key, *secret)) {
    return failed("hand out the key");
  }
  *secret += public_key;
  std::uint32_t check = 0;
  if (RAND_bytes(reinterpret_cast<unsigned char*>(&check), sizeof check) != 1)
    return failed("get random bytes");
  std::string blob;
  put_wire_string(blob, kType);
  put_wire_string(blob, public_key);
  return HostKey{std::string(kType) + " " + base64_encode(blob),
                 openssh_private(check, blob, public_key, *secret), dropbear_private(*secret)};
}

}  // namespace umlfarm::guest

#include "guest/disk/ssh_key.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "guest/disk/base64.h"
#include "guest/disk/ssh_wire.h"

namespace umlfarm::guest {
namespace {

constexpr std::size_t kMostBytes = 16384;
constexpr std::size_t kLeastRsaBits = 2048;
constexpr std::size_t kMostRsaBits = 16384;

enum class Shape { Ed25519, Rsa, Ecdsa };

struct KeyType {
  std::string_view name;
  Shape shape;
  std::string_view curve;   // of Ecdsa
  std::size_t point_bytes;  // of Ecdsa: uncompressed
  bool has_application;     // a security key says what it was made for
};

constexpr std::array<KeyType, 7> kTypes{{
    {"ssh-ed25519", Shape::Ed25519, "", 0, false},
    {"ssh-rsa", Shape::Rsa, "", 0, false},
    {"ecdsa-sha2-nistp256", Shape::Ecdsa, "nistp256", 65, false},
    {"ecdsa-sha2-nistp384", Shape::Ecdsa, "nistp384", 97, false},
    {"ecdsa-sha2-nistp521", Shape::Ecdsa, "nistp521", 133, false},
    {"sk-ssh-ed25519@openssh.com", Shape::Ed25519, "", 0, true},
    {"sk-ecdsa-sha2-nistp256@openssh.com", Shape::Ecdsa, "nistp256", 65, true},
}};

constexpr std::string_view kWayOut = "give the one line of a public key file, such as ~/.ssh/id_ed25519.pub";

Error invalid(std::string_view why) {
  return {Kind::Invalid, "SSH key: " + std::string(why) + "; " + std::string(kWayOut)};
}

const KeyType* find_type(std::string_view name) {
  const auto* const found =
      std::find_if(kTypes.begin(), kTypes.end(), [&](const KeyType& type) { return type.name == name; });
  return found == kTypes.end() ? nullptr : &*found;
}

// The text up to a blank, taken off `line` together with the blanks after it.
std::string_view take_word(std::string_view& line) {
  const std::string_view word = line.substr(0, line.find_first_of(" \t"));
  line.remove_prefix(word.size());
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return word;
}

std::string_view trim(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text.substr(0, text.find_last_not_of(" \t") + 1);
}

Status check_text(std::string_view line) {
  const bool is_pem = line.find("-----BEGIN") != std::string_view::npos;
  if ((is_pem && line.find("PRIVATE KEY") != std::string_view::npos) ||
      line.starts_with("PuTTY-User-Key-File")) {
    return Error(
        Kind::Invalid,
        "SSH key: this is a private key, which must never leave its owner: give the .pub file beside "
        "it, and make a new pair if this one was sent to anyone");
  }
  if (line.starts_with("---- BEGIN SSH2")) {
    return Error(Kind::Invalid,
                 "SSH key: this is in the SSH2 file format; convert it with ssh-keygen -i -f FILE");
  }
  if (line.size() > kMostBytes) return invalid("it has " + std::to_string(line.size()) + " bytes");
  if (line.find_first_of("\r\n") != std::string_view::npos) return invalid("it has more than one line");
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
  };
  if (std::any_of(line.begin(), line.end(), is_control)) return invalid("it holds control characters");
  return {};
}

Error unknown_type(std::string_view first, std::string_view rest) {
  if (first == "ssh-dss") return invalid("DSA keys are not safe, and SSH servers refuse them");
  if (first.find("-cert-v01@") != std::string_view::npos) return invalid("certificates are not supported");
  while (!rest.empty()) {
    if (find_type(take_word(rest)) != nullptr) {
      return invalid("options before the key, such as '" + std::string(first.substr(0, 40)) +
                     "', are not allowed");
    }
  }
  std::string shown;
  for (const char c : first.substr(0, 40)) shown += static_cast<unsigned char>(c) < 0x80 ? c : '?';
  return invalid("'" + shown + "' is not a key type");
}

// A positive number without needless leading zeros (RFC 4251: mpint), as its bits; zero when it is none.
std::size_t mpint_bits(std::string_view number) {
  if (number.empty()) return 0;
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(number[i]); };
  if ((byte(0) & 0x80U) != 0) return 0;
  if (byte(0) != 0) return (number.size() - 1) * 8 + std::bit_width(byte(0));
  if (number.size() < 2 || (byte(1) & 0x80U) == 0) return 0;
  return (number.size() - 1) * 8;
}

Status check_rsa(std::string_view exponent, std::string_view modulus) {
  const std::size_t bits = mpint_bits(modulus);
  const bool odd_exponent = mpint_bits(exponent) > 1 && (exponent.back() & 1) != 0;
  if (bits == 0 || !odd_exponent) return invalid("its RSA numbers are broken");
  if (bits < kLeastRsaBits || bits > kMostRsaBits) {
    return Error(Kind::Invalid, "SSH key: RSA with " + std::to_string(bits) +
                                    " bits is not accepted, 2048 to 16384 are; make an ed25519 key with "
                                    "ssh-keygen -t ed25519");
  }
  return {};
}

Status check_fields(const KeyType& type, const std::vector<std::string_view>& fields) {
  switch (type.shape) {
    case Shape::Ed25519:
      if (fields[0].size() != 32) return invalid("its ed25519 key is not 32 bytes long");
      return {};
    case Shape::Rsa:
      return check_rsa(fields[0], fields[1]);
    case Shape::Ecdsa:
      if (fields[0] != type.curve) return invalid("its curve is not that of its type");
      if (fields[1].size() != type.point_bytes || fields[1].front() != 4) {
        return invalid("its point is not one of its curve");
      }
      return {};
  }
  return invalid("its type is not known");
}

Status check_blob(const KeyType& type, std::string_view blob) {
  WireReader reader(blob);
  if (reader.string() != type.name) return invalid("the key inside is not of the type named before it");
  const std::size_t count = (type.shape == Shape::Ed25519 ? 1U : 2U) + (type.has_application ? 1U : 0U);
  std::vector<std::string_view> fields;
  for (std::size_t i = 0; i < count; ++i) {
    const auto field = reader.string();
    if (!field) return invalid("it is cut short");
    fields.push_back(*field);
  }
  if (!reader.at_end()) return invalid("it has bytes after its end");
  return check_fields(type, fields);
}

}  // namespace

Result<std::string> check_ssh_key(std::string_view line) {
  line = trim(line);
  UMLFARM_TRY(check_text(line));
  if (line.empty()) return invalid("it is empty");
  const std::string_view name = take_word(line);
  const KeyType* const type = find_type(name);
  if (type == nullptr) return unknown_type(name, line);
  const std::string_view encoded = take_word(line);
  const auto blob = base64_decode(encoded);
  if (!blob) return invalid("its base64 text is broken or cut short");
  UMLFARM_TRY(check_blob(*type, *blob));
  std::string normal = std::string(name) + " " + std::string(encoded);
  if (!line.empty()) normal += " " + std::string(line);
  return normal;
}

}  // namespace umlfarm::guest

#include "guest/disk/base64.h"

#include <openssl/evp.h>

namespace umlfarm::guest {
namespace {

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

}  // namespace

std::string base64_encode(std::string_view data) {
  std::string text((data.size() + 2) / 3 * 4 + 1, '\0');  // The library adds a NUL.
  const int length = EVP_EncodeBlock(bytes_of(text), bytes_of(data), static_cast<int>(data.size()));
  text.resize(static_cast<std::size_t>(length));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string data(text.size() / 4 * 3, '\0');
  if (EVP_DecodeBlock(bytes_of(data), bytes_of(text), static_cast<int>(text.size())) < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  data.resize(data.size() - padding);
  // The library takes blanks around the text and stray bits before the padding.
  if (base64_encode(data) != text) return std::nullopt;
  return data;
}

}  // namespace umlfarm::guest

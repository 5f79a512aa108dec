#include "guest/disk/tar_archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>
#include <string_view>

namespace umlfarm::guest {
namespace {

constexpr int kBlock = 512;

using Archive = std::unique_ptr<archive, int (*)(archive*)>;
using Entry = std::unique_ptr<archive_entry, void (*)(archive_entry*)>;

Error failed(archive* writer, std::string_view what) {
  const char* const why = archive_error_string(writer);
  return {Kind::Internal, "tar archive: " + std::string(what) + ": " + (why == nullptr ? "no memory" : why)};
}

la_ssize_t append(archive*, void* out, const void* data, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(data), size);
  return static_cast<la_ssize_t>(size);
}

Status start(archive* writer, std::string& out) {
  if (archive_write_set_format_ustar(writer) != ARCHIVE_OK ||
      archive_write_set_bytes_per_block(writer, kBlock) != ARCHIVE_OK ||
      archive_write_set_bytes_in_last_block(writer, kBlock) != ARCHIVE_OK ||
      archive_write_open(writer, &out, nullptr, append, nullptr) != ARCHIVE_OK) {
    return failed(writer, "start");
  }
  return {};
}

Status add(archive* writer, const TarEntry& item) {
  const Entry entry(archive_entry_new(), archive_entry_free);
  archive_entry_set_pathname(entry.get(), item.path.c_str());
  archive_entry_set_filetype(entry.get(), item.path.ends_with('/') ? AE_IFDIR : AE_IFREG);
  archive_entry_set_perm(entry.get(), item.mode);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(item.content.size()));
  archive_entry_set_mtime(entry.get(), 0, 0);
  if (archive_write_header(writer, entry.get()) != ARCHIVE_OK) return failed(writer, item.path);
  if (archive_write_data(writer, item.content.data(), item.content.size()) !=
      static_cast<la_ssize_t>(item.content.size())) {
    return failed(writer, item.path);
  }
  return {};
}

}  // namespace

Result<std::string> tar_archive(const std::vector<TarEntry>& entries) {
  std::string out;
  const Archive writer(archive_write_new(), archive_write_free);
  if (!writer) return Error(Kind::Internal, "tar archive: no memory");
  UMLFARM_TRY(start(writer.get(), out));
  for (const auto& entry : entries) UMLFARM_TRY(add(writer.get(), entry));
  if (archive_write_close(writer.get()) != ARCHIVE_OK) return failed(writer.get(), "end");
  return out;
}

}  // namespace umlfarm::guest

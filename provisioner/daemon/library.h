// Images and kernels on disk: taken in once, under their digest, never changed afterwards.
#pragma once

#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/daemon/catalog_entry.h"
#include "provisioner/daemon/paths.h"

namespace umlfarm::daemon {

// What a digest is of: of a kernel, SHA-256 of the file. Of an image, SHA-256 over the SHA-256 of each of its
// mebibytes, so that the holes of a large sparse disk cost nothing.

// What is on its way into the library: a copy under a name of its own, which goes with this value.
class Staged {
 public:
  Staged(CatalogEntry entry, std::string directory)
      : entry_(std::move(entry)), directory_(std::move(directory)) {}
  Staged(Staged&& other) noexcept
      : entry_(std::move(other.entry_)), directory_(std::exchange(other.directory_, {})) {}
  Staged& operator=(Staged&&) = delete;
  Staged(const Staged&) = delete;
  Staged& operator=(const Staged&) = delete;
  ~Staged();

  CatalogEntry& entry() { return entry_; }
  const CatalogEntry& entry() const { return entry_; }
  const std::string& directory() const { return directory_; }

 private:
  CatalogEntry entry_;
  std::string directory_;
};

// Copies an image from a directory that holds root.img and manifest.json, as guest/image/build makes them, or
// a kernel from such a directory with linux in it, or from the program alone. What `asker` may not read is
// Denied. `name` empty: the manifest's. Invalid when the content is not that of the manifest's digest.
Result<Staged> stage(Catalog which, const Paths& paths, const std::string& from, const std::string& name,
                     uid_t asker);

// Gives it its place under its digest, durably. The same content again changes nothing where it is whole,
// and replaces it where it was damaged or lost.
Status place(Catalog which, const Paths& paths, const Staged& staged);

// Conflict when the file is no longer that of its digest.
Status verify(Catalog which, const Paths& paths, const std::string& digest);

// The files; the row is the caller's. Idempotent.
Status remove_files(Catalog which, const Paths& paths, const std::string& digest);

// Removes directories without an entry: what a take-in or a removal left half done.
Status sweep(Catalog which, const Paths& paths, const std::vector<CatalogEntry>& entries);

}  // namespace umlfarm::daemon

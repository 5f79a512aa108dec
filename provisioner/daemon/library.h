// Images and kernels on disk: taken in once, under their digest, never changed afterwards.
#pragma once

#include <string>
#include <vector>

#include "provisioner/base/result.h"
#include "provisioner/daemon/catalog_entry.h"
#include "provisioner/daemon/paths.h"

namespace umlfarm::daemon {

// What a digest is of: of a kernel, SHA-256 of the file. Of an image, SHA-256 over the SHA-256 of each of its
// mebibytes, so that the holes of a large sparse disk cost nothing.

// Copies an image from a directory that holds root.img and manifest.json, as guest/image/build makes them, or
// a kernel from such a directory with linux in it, or from the program alone. `name` empty: the manifest's.
// Invalid when the content is not that of the manifest's digest. Taking in the same again changes nothing.
Result<CatalogEntry> take_in(Catalog which, const Paths& paths, const std::string& from,
                             const std::string& name);

// Conflict when the file is no longer that of its digest.
Status verify(Catalog which, const Paths& paths, const std::string& digest);

// The files; the row is the caller's. Idempotent.
Status remove_files(Catalog which, const Paths& paths, const std::string& digest);

// Removes directories without an entry: what a take-in or a removal left half done.
Status sweep(Catalog which, const Paths& paths, const std::vector<CatalogEntry>& entries);

}  // namespace umlfarm::daemon

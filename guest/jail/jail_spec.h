// What a jail is made of. Values only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace umlfarm::guest {

// A host file that the guest kernel sees at `inside`. The guest's uid must be allowed to open it.
struct JailFile {
  std::string host;
  std::string inside;  // absolute
  bool writable = false;
  bool executable = false;
};

struct JailSpec {
  std::string id;    // the jail's host name too
  std::string root;  // an existing directory; the jail's root is mounted over it, in its own mount namespace
  std::string kernel;                  // host path of the program; /linux inside
  std::vector<std::string> arguments;  // argv[1] onwards
  std::vector<JailFile> files;
  std::uint64_t memory_bytes = 0;     // size of the tmpfs that holds the guest's memory, slack included
  uid_t uid = 0;                      // never 0
  gid_t gid = 0;                      // never 0
  std::vector<int> processors;        // the host's, that it runs on; empty: any
  bool seccomp_userspace = false;     // its processes are held by filters of their own, in place of ptrace
  std::vector<std::string> cgroups;   // existing cgroup directories that it joins
  std::uint64_t max_processes = 512;  // host processes and threads of the uid
  std::uint64_t max_open_files = 1024;
  std::uint64_t max_file_bytes = 0;  // the largest file it may write, its memory included
  // What that can be raised to while it runs, which its filter leaves to others. No less than that.
  std::uint64_t most_file_bytes = 0;
};

}  // namespace umlfarm::guest

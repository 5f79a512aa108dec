#include "guest/net/net_namespace.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>

#include "provisioner/base/posix.h"

namespace umlfarm::guest {
namespace {

bool is_namespace(const std::string& path) {
  struct statfs status {};
  return ::statfs(path.c_str(), &status) == 0 && status.f_type == NSFS_MAGIC;
}

// On a thread that ends right after: unshare(2) changes the calling thread for good.
Status make_namespace(const std::string& path) {
  UMLFARM_ASSIGN(const UniqueFd place, posix::open(path, O_RDONLY | O_CREAT, 0444));
  Status made;
  std::thread([&] {
    if (::unshare(CLONE_NEWNET) < 0) {
      made = system_error("make a network namespace");
    } else if (::mount("/proc/thread-self/ns/net", path.c_str(), nullptr, MS_BIND, nullptr) < 0) {
      made = system_error("name a network namespace " + path);
    }
  }).join();
  return made;
}

}  // namespace

Result<std::unique_ptr<NetNamespace>> NetNamespace::create_or_open(const std::string& path) {
  if (!is_namespace(path)) UMLFARM_TRY(make_namespace(path));
  UMLFARM_ASSIGN(const UniqueFd fd, posix::open(path, O_RDONLY));
  std::unique_ptr<NetNamespace> space(new NetNamespace);
  std::promise<int> entered;
  auto error = entered.get_future();
  space->thread_ =
      std::jthread([&entered, self = space.get(), raw = fd.get()](const std::stop_token& stopped) {
        const bool in = ::setns(raw, CLONE_NEWNET) == 0;
        entered.set_value(in ? 0 : errno);
        if (in) self->live(stopped);
      });
  if (const int why = error.get(); why != 0) return system_error("enter the network namespace " + path, why);
  return space;
}

Status NetNamespace::remove(const std::string& path) {
  while (is_namespace(path)) {
    if (::umount2(path.c_str(), MNT_DETACH) < 0) return system_error("unmount " + path);
  }
  return posix::remove_file(path);
}

NetNamespace::~NetNamespace() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void NetNamespace::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void NetNamespace::live(const std::stop_token& stopped) {
  (void)::pthread_setname_np(::pthread_self(), "network");
  std::unique_lock lock(mutex_);
  while (wake_.wait(lock, stopped, [&] { return !queue_.empty(); })) {
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace umlfarm::guest

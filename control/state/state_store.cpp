// Model: one folder, locked by DIR/grayd.lock for the life of the store; one file, DIR/state.json, always replaced
// completely.
// Invariants
//  - state.json is at any moment either the old state or the new one: it changes only by rename, after fsync.
//  - `now` is the content of state.json, or of the last state that was loaded: it changes only after a write.
//  - The caller never waits for the disk; only the writer thread and load() access it.
//  - `mutex` is never held during a system call or a callback; `telling` is held while watchers are called, so that
//    unwatch() waits for a running call.
#include "control/state/state_store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <filesystem>
#include <map>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "config/base/archive.hpp"
#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"
#include "control/state/state_json.hpp"

namespace gray::control {
namespace {

std::runtime_error failure(const std::string& what, const std::string& path, const std::string& remedy) {
  return std::runtime_error(fmt::format("cannot {} {}: {}; {}", what, path, std::strerror(errno), remedy));
}

constexpr const char* kRemedy = "state_dir must be a folder that grayd may write to";

UniqueFd open_folder(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(dir).parent_path(), error);
  errno = error.value();
  if (error) throw failure("create the folder of", dir, kRemedy);
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) throw failure("create", dir, kRemedy);
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) throw failure("open", dir, kRemedy);
  return fd;
}

std::string read_all(int fd) {
  std::string text;
  char chunk[4096];
  ssize_t n;
  while ((n = ::read(fd, chunk, sizeof chunk)) > 0) text.append(chunk, static_cast<std::size_t>(n));
  if (n < 0) throw std::system_error(errno, std::generic_category());
  return text;
}

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::runtime_error held_by_another(const std::string& dir, int lock) {
  std::string pid = read_all(lock);
  pid = pid.substr(0, pid.find('\n'));
  return std::runtime_error(
      fmt::format("the state folder {} is in use by another grayd{}; stop that one, or set another state_dir", dir,
                  pid.empty() ? "" : " (pid " + pid + ")"));
}

UniqueFd take_lock(int folder, const std::string& dir) {
  UniqueFd lock(::openat(folder, "grayd.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) throw failure("open", dir + "/grayd.lock", kRemedy);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) throw held_by_another(dir, lock.get());
    throw failure("lock", dir + "/grayd.lock", kRemedy);
  }
  if (::ftruncate(lock.get(), 0) != 0 || !write_all(lock.get(), fmt::format("{}\n", ::getpid())))
    throw failure("write", dir + "/grayd.lock", kRemedy);
  return lock;
}

}  // namespace

struct StateStore::Impl {
  struct Save {
    State state;
    Author by;
    Revision expected = 0;
    Done done;
  };
  struct Watcher {
    Revision seen = 0;
    Changed changed;
  };

  explicit Impl(const std::string& folder_path)
      : dir(folder_path), folder(open_folder(dir)), lock(take_lock(folder.get(), dir)) {
    begin();
  }
  Impl(const std::string& folder_path, Restored) : dir(folder_path) {}

  void begin() {
    writer = quiet_thread([this] { run(); });
  }

  /// Before anything is destroyed: the end of a save may give the next one.
  void end() {
    {
      std::lock_guard guard(mutex);
      ending = true;
    }
    changed.notify_one();
    if (writer.joinable()) writer.join();
  }

  void run() {
    std::unique_lock guard(mutex);
    for (;;) {
      changed.wait(guard, [this] { return ending || watched || !queue.empty(); });
      if (queue.empty() && ending) return;
      writing = true;
      std::optional<Save> save;
      if (!queue.empty()) {
        save = std::move(queue.front());
        queue.pop_front();
      }
      watched = false;
      guard.unlock();
      if (save) carry_out(*save);
      tell();
      guard.lock();
      writing = false;
    }
  }

  /// The writer alone changes `now` once it runs, so it reads it without the mutex.
  void carry_out(Save& save) {
    if (save.expected != now->revision) return save.done(Conflict{now->revision, now->by});
    Snapshot next{now->revision + 1, std::move(save.state), std::move(save.by)};
    if (auto error = write(to_json_text(next)); !error.empty()) return save.done(SaveFailed{std::move(error)});
    set(std::move(next));
    save.done(Saved{now->revision});
  }

  void set(Snapshot next) {
    auto fresh = std::make_shared<const Snapshot>(std::move(next));
    std::lock_guard guard(mutex);
    now = std::move(fresh);
  }

  void tell() {
    std::lock_guard guard(telling);
    for (auto& [id, watcher] : watchers) {
      if (watcher.seen >= now->revision) continue;
      watcher.seen = now->revision;
      watcher.changed(*now);
    }
  }

  /// The durable replacement of state.json; the cause if it failed, and then state.json is untouched.
  std::string write(const std::string& text) {
    UniqueFd file(
        ::openat(folder.get(), "state.json.tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file || !write_all(file.get(), text) || ::fsync(file.get()) != 0)
      return failure("write", dir + "/state.json.tmp", "the change will be lost when grayd ends").what();
    if (::renameat(folder.get(), "state.json.tmp", folder.get(), "state.json") != 0 || ::fsync(folder.get()) != 0)
      return failure("replace", dir + "/state.json", "the change may be lost when grayd ends").what();
    return {};
  }

  /// Moves an unreadable file away, so that the next save does not destroy the evidence.
  std::string move_aside(const char* cause) {
    if (::renameat(folder.get(), "state.json", folder.get(), "state.json.damaged") != 0)
      throw failure("move aside", dir + "/state.json", kRemedy);
    return fmt::format(
        "{0}/state.json is damaged ({1}); moved to {0}/state.json.damaged; the configured weights are used", dir,
        cause);
  }

  std::string dir;
  UniqueFd folder;
  UniqueFd lock;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Save> queue;
  std::shared_ptr<const Snapshot> now = std::make_shared<Snapshot>();
  bool watched = false;  // there is a new watcher
  bool writing = false;
  bool ending = false;  // all five under `mutex`
  std::mutex telling;
  std::map<WatchId, Watcher> watchers;
  WatchId last_watch = 0;  // both under `telling`
  std::thread writer;
};

StateStore::StateStore(const std::string& dir) : impl_(std::make_unique<Impl>(dir)) {}
StateStore::StateStore(const std::string& dir, Restored tag) : impl_(std::make_unique<Impl>(dir, tag)) {}
StateStore::~StateStore() { impl_->end(); }

bool StateStore::idle() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->queue.empty() && !impl_->writing;
}

template <class Io>
void StateStore::archive(Io& io) {
  io("folder", impl_->folder);
  io("lock", impl_->lock);
  Snapshot now = *impl_->now;
  io("revision", now.revision);
  io("who", now.by.who);
  io("what", now.by.what);
  io("state", now.state);
  if constexpr (Io::kLoads) {
    impl_->set(std::move(now));
    impl_->begin();
  }
}
template void StateStore::archive(Save&);
template void StateStore::archive(Load&);

Snapshot StateStore::load(std::string& warning) {
  warning.clear();
  const std::string path = impl_->dir + "/state.json";
  UniqueFd file(::openat(impl_->folder.get(), "state.json", O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return {};
  if (!file) throw failure("read", path, kRemedy);
  try {
    impl_->set(snapshot_from_json(read_all(file.get())));
    return *impl_->now;
  } catch (const NewerState& newer) {
    throw std::runtime_error(fmt::format(
        "cannot use {}: {}; run the grayd that wrote it, or move the file away to start with the configured weights",
        path, newer.what()));
  } catch (const std::system_error& unreadable) {  // this error is not about the content of the file
    throw std::runtime_error(fmt::format("cannot read {}: {}; {}", path, unreadable.code().message(), kRemedy));
  } catch (const std::runtime_error& damaged) {
    warning = impl_->move_aside(damaged.what());
    return {};
  }
}

State StateStore::peek(const std::string& dir) try {
  const UniqueFd file(::open((dir + "/state.json").c_str(), O_RDONLY | O_CLOEXEC));
  return file ? snapshot_from_json(read_all(file.get())).state : State{};
} catch (const std::exception&) {  // load() reports it
  return {};
}

Revision StateStore::revision() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->now->revision;
}

void StateStore::save(State state, Author by, Revision expected, Done done) {
  {
    std::lock_guard guard(impl_->mutex);
    impl_->queue.push_back({std::move(state), std::move(by), expected, std::move(done)});
  }
  impl_->changed.notify_one();
}

StateStore::WatchId StateStore::watch(Revision from, Changed changed) {
  WatchId id = 0;
  {
    std::lock_guard guard(impl_->telling);
    id = ++impl_->last_watch;
    impl_->watchers[id] = {from, std::move(changed)};
  }
  {
    std::lock_guard guard(impl_->mutex);
    impl_->watched = true;
  }
  impl_->changed.notify_one();
  return id;
}

void StateStore::unwatch(WatchId id) {
  std::lock_guard guard(impl_->telling);
  impl_->watchers.erase(id);
}

}  // namespace gray::control

#pragma once
// The folders for workers' sockets: two for each process, mode 0700 and owned by the worker's user, below one folder
// for each grayd. A new process gets new folders, so no path is ever used twice, and the end of an older process
// cannot remove the socket of a newer one.
//
// A router of a different user must be able to connect to the worker's socket, but not to the notify socket, so each of
// them has its own folder. The master adds the router's user to the access lists (acl(5)) of the first folder and of
// the socket in it. A group could not serve the routers before and after a change of their user, and a umask that opens
// the socket to others would open the worker's other files, too.
//
// Not below state_dir: the path of a unix socket has at most 107 bytes, and state_dir may be long.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/base/restored.hpp"
#include "supervisor/process/credentials.hpp"

namespace gray::supervisor {

/// Both folders of a process. Removed with everything in them when it goes out of scope.
class WorkerFolder {
 public:
  WorkerFolder(WorkerFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  WorkerFolder& operator=(WorkerFolder&& other) noexcept {
    path_.swap(other.path_);
    return *this;
  }
  ~WorkerFolder();

  const std::string& path() const { return path_; }
  std::string notify_path() const { return path_ + "/notify"; }
  std::string listen_path() const { return listen_folder() + "/http"; }
  /// Lets these users connect to the socket at listen_path(), in addition to its owner, if it exists. May be repeated:
  /// the worker can replace the socket, or change its mode. Returns an empty text, or for people what failed.
  std::string admit(const std::vector<uid_t>& users) const;

  explicit WorkerFolder(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("path", path_);
  }

 private:
  friend class WorkerFolders;
  explicit WorkerFolder(std::string path) : path_(std::move(path)) {}
  std::string listen_folder() const { return path_ + "-http"; }
  std::string path_;
};

/// The folders to try, in this order: those of $RUNTIME_DIRECTORY, /run, $TMPDIR, /tmp, and state_dir (empty: none),
/// which comes last because its path may be too long.
std::vector<std::string> worker_folder_parents(const std::string& state_dir = {});

class WorkerFolders {
 public:
  /// Removes folders that an earlier grayd of this instance left behind; its workers must be dead.
  explicit WorkerFolders(const std::string& instance, std::vector<std::string> parents = worker_folder_parents());
  ~WorkerFolders();
  WorkerFolders(const WorkerFolders&) = delete;
  WorkerFolders& operator=(const WorkerFolders&) = delete;

  /// For the process with this generation. `owner`: its user, if that is not grayd's. Nothing: see errno.
  std::optional<WorkerFolder> make(std::uint64_t generation, const std::optional<Credentials>& owner);
  /// "/run, /tmp": the folders that make() tries.
  std::string tried() const;
  /// Empty before the first make().
  const std::string& path() const { return path_; }

  explicit WorkerFolders(Restored) {}
  /// For config/base/archive.hpp.
  template <class Io>
  void archive(Io& io) {
    io("candidates", candidates_);
    io("path", path_);
  }

 private:
  bool open();

  std::vector<std::string> candidates_;
  std::string path_;
};

}  // namespace gray::supervisor

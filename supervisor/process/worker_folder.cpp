#include "supervisor/process/worker_folder.hpp"

#include <endian.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>

#include "config/base/unique_fd.hpp"

namespace gray::supervisor {
namespace {

// Other users may enter, to reach their own folder, but not list it.
constexpr mode_t kPassage = 0711;
constexpr std::size_t kLongestFolder = 107 - sizeof("/1234567890-http/http") + 1;  // unix(7): 107 bytes of a path

// In a world-writable folder, a folder with our name is not necessarily ours.
bool is_ours(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid() &&
         (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

// The value of the attribute system.posix_acl_access: a version and entries, all in little endian.
constexpr std::uint32_t kAclVersion = 2;
enum AclTag : std::uint16_t { kOwner = 0x01, kUser = 0x02, kGroup = 0x04, kMask = 0x10, kOther = 0x20 };
constexpr std::uint32_t kNoId = 0xffffffff;

struct AclEntry {
  std::uint16_t tag, permissions;
  std::uint32_t id;
};

/// The owner keeps its permissions, `users` get `permissions`, and nobody else gets any. The kernel wants the users in
/// order.
bool grant(const UniqueFd& file, const struct stat& facts, const std::vector<uid_t>& users, mode_t permissions) {
  std::vector<AclEntry> entries{{kOwner, static_cast<std::uint16_t>(facts.st_mode >> 6 & 07), kNoId}};
  const auto granted = static_cast<std::uint16_t>(permissions);
  for (const uid_t user : std::set<uid_t>(users.begin(), users.end())) {
    if (user != facts.st_uid) entries.push_back({kUser, granted, user});
  }
  if (entries.size() == 1) return true;
  for (const AclEntry& entry : {AclEntry{kGroup, 0, kNoId}, {kMask, granted, kNoId}, {kOther, 0, kNoId}})
    entries.push_back(entry);
  std::string value;
  const auto put = [&value](auto number) { value.append(reinterpret_cast<const char*>(&number), sizeof number); };
  put(htole32(kAclVersion));
  for (const AclEntry& entry : entries) {
    put(htole16(entry.tag));
    put(htole16(entry.permissions));
    put(htole32(entry.id));
  }
  const std::string path = "/proc/self/fd/" + std::to_string(file.get());
  return ::setxattr(path.c_str(), "system.posix_acl_access", value.data(), value.size(), 0) == 0;
}

bool make_private(const std::string& path, const std::optional<Credentials>& owner) {
  if (::mkdir(path.c_str(), 0700) != 0 || ::chmod(path.c_str(), 0700) != 0) return false;
  return !owner || ::chown(path.c_str(), owner->uid, owner->gid) == 0;
}

/// Whether every user may enter the folder and those above it.
bool is_passable(const std::filesystem::path& folder) {
  struct stat facts{};
  if (::stat(folder.c_str(), &facts) != 0 || (facts.st_mode & S_IXOTH) == 0) return false;
  return folder == folder.root_path() || is_passable(folder.parent_path());
}

/// mkdir(2) is subject to the umask.
bool make_passage(const std::string& path) {
  if (path.size() > kLongestFolder) {
    errno = ENAMETOOLONG;
    return false;
  }
  return ::mkdir(path.c_str(), kPassage) == 0 && ::chmod(path.c_str(), kPassage) == 0;
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

WorkerFolder::~WorkerFolder() {
  if (path_.empty()) return;
  remove_all(path_);
  remove_all(listen_folder());
}

// The worker's user may put anything into the folder, so nothing is followed, and only a socket of that user is opened
// to others. A worker that runs as our user may do anything that we may.
std::string WorkerFolder::admit(const std::vector<uid_t>& users) const {
  if (users.empty()) return {};
  const UniqueFd folder(::open(listen_folder().c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  const UniqueFd socket(folder ? ::openat(folder.get(), "http", O_PATH | O_NOFOLLOW | O_CLOEXEC) : -1);
  struct stat place{}, found{};
  if (!socket || ::fstat(folder.get(), &place) != 0 || ::fstat(socket.get(), &found) != 0) return {};
  const bool theirs =
      S_ISSOCK(found.st_mode) && found.st_nlink == 1 && (found.st_uid == place.st_uid || place.st_uid == ::geteuid());
  if (!theirs) return {};
  const bool done = grant(folder, place, users, S_IXOTH) && grant(socket, found, users, S_IROTH | S_IWOTH);
  if (done) return {};
  return "cannot let the router connect to " + listen_path() + ": " + std::strerror(errno) +
         "; use listen = \"port\" or \"socket\", or run this worker and the router as the same user";
}

std::vector<std::string> worker_folder_parents(const std::string& state_dir) {
  std::vector<std::string> parents;
  const auto add = [&](std::string_view folder) {
    if (folder.starts_with('/') && std::find(parents.begin(), parents.end(), folder) == parents.end())
      parents.emplace_back(folder);
  };
  const auto variable = [](const char* name) { return std::string_view(::getenv(name) ? ::getenv(name) : ""); };
  for (std::string_view rest = variable("RUNTIME_DIRECTORY"); !rest.empty();) {  // systemd.exec(5): with colons
    const std::size_t end = std::min(rest.find(':'), rest.size());
    add(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string_view folder : {std::string_view("/run"), variable("TMPDIR"), std::string_view("/tmp")})
    add(folder);
  add(state_dir);
  return parents;
}

WorkerFolders::WorkerFolders(const std::string& instance, std::vector<std::string> parents)
    : candidates_(std::move(parents)) {
  for (std::string& candidate : candidates_) {
    candidate += "/grayd-" + instance;
    if (is_ours(candidate)) remove_all(candidate);
  }
}

WorkerFolders::~WorkerFolders() {
  if (!path_.empty()) remove_all(path_);
}

// First the places that the routers' user can reach, too; if there is none, any: they may have the same user.
bool WorkerFolders::open() {
  for (const bool reachable : {true, false})
    for (const std::string& candidate : candidates_)
      if (is_passable(std::filesystem::path(candidate).parent_path()) == reachable && make_passage(candidate)) {
        path_ = candidate;
        return true;
      }
  return false;
}

std::string WorkerFolders::tried() const {
  std::string text;
  for (const std::string& candidate : candidates_)
    text += (text.empty() ? "" : ", ") + candidate.substr(0, candidate.rfind('/'));
  return text;
}

std::optional<WorkerFolder> WorkerFolders::make(std::uint64_t generation, const std::optional<Credentials>& owner) {
  if (!is_ours(path_) && !open()) return std::nullopt;  // also if it was removed meanwhile
  const std::string path = path_ + "/" + std::to_string(generation);
  WorkerFolder folder(path);
  if (!make_private(path, owner) || !make_private(folder.listen_folder(), owner)) return std::nullopt;
  return folder;
}

}  // namespace gray::supervisor

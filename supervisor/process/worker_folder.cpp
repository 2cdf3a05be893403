#include "supervisor/process/worker_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

namespace gray::supervisor {
namespace {

// Other users may enter, to reach their own folder, but not list it.
constexpr mode_t kPassage = 0711;

// In a world-writable folder, a folder with our name is not necessarily ours.
bool is_ours(const std::string& path) {
  struct stat facts{};
  return ::lstat(path.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode) && facts.st_uid == ::geteuid() &&
         (facts.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void remove_all(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

}  // namespace

WorkerFolder::~WorkerFolder() {
  if (!path_.empty()) remove_all(path_);
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

// mkdir(2) is subject to the umask.
bool WorkerFolders::open() {
  for (const std::string& candidate : candidates_) {
    if (::mkdir(candidate.c_str(), kPassage) != 0) continue;
    if (::chmod(candidate.c_str(), kPassage) != 0) return false;
    path_ = candidate;
    return true;
  }
  return false;
}

std::optional<WorkerFolder> WorkerFolders::make(std::uint64_t generation, const std::optional<Credentials>& owner) {
  if (!is_ours(path_) && !open()) return std::nullopt;  // also if it was removed meanwhile
  const std::string path = path_ + "/" + std::to_string(generation);
  if (::mkdir(path.c_str(), 0700) != 0) return std::nullopt;
  WorkerFolder folder(path);
  if (::chmod(path.c_str(), 0700) != 0) return std::nullopt;
  if (owner && ::chown(path.c_str(), owner->uid, owner->gid) != 0) return std::nullopt;
  return folder;
}

}  // namespace gray::supervisor

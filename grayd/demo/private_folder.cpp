#include "grayd/demo/private_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "config/base/demo_place.hpp"

namespace gray::demo {
namespace {

namespace fs = std::filesystem;

bool is_same_file(int fd, const std::string& path) {
  struct stat opened{}, named{};
  return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_dev == named.st_dev &&
         opened.st_ino == named.st_ino;
}

void empty_folder(const std::string& path) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored)) fs::remove_all(entry.path(), ignored);
}

}  // namespace

PrivateFolder::PrivateFolder(const std::vector<std::string>& places) {
  for (const std::string& place : places) {
    if (::access(fs::path(place).parent_path().c_str(), W_OK | X_OK) != 0) continue;
    if (take(place)) return;
    break;
  }
  std::string name = "/tmp/grayd-demo-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr || !take(name))
    throw std::system_error(errno, std::generic_category(), "a temporary folder below /tmp");
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

// Between the opening and the lock the demo that had the folder may have ended and removed it.
bool PrivateFolder::take(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return false;
  if (!is_private(path)) return false;
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || !is_same_file(fd.get(), path)) return false;
  empty_folder(path);
  path_ = path;
  lock_ = std::move(fd);
  return true;
}

}  // namespace gray::demo

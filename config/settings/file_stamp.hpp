#pragma once
// What shows, without reading it, that a file was changed.
#include <sys/stat.h>

#include <cstdint>
#include <string>

namespace gray {

struct FileStamp {
  dev_t device = 0;
  ino_t inode = 0;
  off_t size = 0;
  std::int64_t seconds = 0, nanoseconds = 0;  // of the last write
  bool operator==(const FileStamp&) const = default;

  static FileStamp of(const struct stat& facts) {
    return {facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec};
  }
  /// Of no file, if there is none.
  static FileStamp of(const std::string& path) {
    struct stat facts{};
    return ::stat(path.c_str(), &facts) == 0 ? of(facts) : FileStamp{};
  }
  template <class Io>
  void archive(Io& io) {
    io("device", device);
    io("inode", inode);
    io("size", size);
    io("seconds", seconds);
    io("nanoseconds", nanoseconds);
  }
};

}  // namespace gray

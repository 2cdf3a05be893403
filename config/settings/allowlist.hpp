#pragma once
// The users of an allowlist, as one hash table in a sealed memfd: the settings build it, every router maps it, and so
// the machine has one copy. It is never changed; a reload builds a new one.
//
// Layout: AllowlistHead, then `slots` numbers of 64 bits. A slot holds allowlist_hash() of an id, 0: empty. The slot of
// a hash is its low bits; if that is in use, the next one. At most half of the slots are in use. Ids are not stored: an
// id that is not in the list is taken for one that is with a probability of count / 2^64, which is 5e-14 for a million.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/base/unique_fd.hpp"
#include "config/settings/file_stamp.hpp"

namespace gray {

struct AllowlistHead {
  static constexpr std::uint64_t kMagic = 0x314c'4c41'5941'5247;  // "GRAYALL1"
  std::uint64_t magic = kMagic;
  std::uint64_t count = 0;
  std::uint64_t slots = 0;   // a power of two
  std::uint64_t digest = 0;  // the sum of all hashes
};

/// XXH3-64 with the seed 0; never 0.
std::uint64_t allowlist_hash(std::string_view id);

class Allowlist {
 public:
  /// The table of these hashes, each of allowlist_hash(); one that is there twice counts once. Throws
  /// std::system_error if there is no memory or no descriptor.
  explicit Allowlist(const std::vector<std::uint64_t>& hashes);
  /// A table that another image of this program has built. Throws std::runtime_error if it is not one.
  explicit Allowlist(UniqueFd fd);

  int fd() const { return fd_.get(); }
  std::uint64_t count() const { return head_.count; }
  std::uint64_t digest() const { return head_.digest; }
  /// Of the whole table.
  std::size_t bytes() const { return bytes_of(head_.slots); }

  static std::size_t bytes_of(std::uint64_t slots) { return sizeof(AllowlistHead) + slots * sizeof(std::uint64_t); }
  /// The head of a sealed table; a head without slots, and why in `error`, if it is none.
  static AllowlistHead head_of(int fd, std::string& error);

 private:
  UniqueFd fd_;
  AllowlistHead head_;
};

/// Where the users of an allowlist come from, and their table. Never compared: AllowlistRef has the digest.
struct AllowlistSource {
  std::string file;  // absolute; empty: none
  FileStamp stamp;   // of the file when it was read
  std::shared_ptr<const Allowlist> table;
  bool operator==(const AllowlistSource&) const { return true; }
};

}  // namespace gray

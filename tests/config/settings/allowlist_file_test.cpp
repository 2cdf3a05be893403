#include "config/settings/allowlist_file.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "config/settings/allowlist.hpp"
#include "config/settings/targeting.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

struct ListFile {
  test::Folder folder;
  std::string path = folder.path / "list";
  std::vector<std::uint64_t> hashes;
  FileStamp stamp;

  std::string read(const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    return read();
  }
  std::string read() {
    hashes.clear();
    return read_allowlist_file(path, hashes, stamp);
  }
};

std::vector<std::uint64_t> hashes_of(const std::vector<std::string>& ids) {
  std::vector<std::uint64_t> hashes;
  for (const std::string& id : ids) hashes.push_back(allowlist_hash(id));
  return hashes;
}

}  // namespace

TEST_CASE_FIXTURE(ListFile, "one id in a line, without the blanks around it") {
  CHECK(read("a\n b\tc \r\n\n \t\n# d\n  #e\nf#g\nh") == "");
  CHECK(hashes == hashes_of({"a", "b\tc", "f#g", "h"}));
  CHECK(read("") == "");
  CHECK(hashes.empty());
  CHECK(read("\n") == "");
  CHECK(hashes.empty());
}

TEST_CASE_FIXTURE(ListFile, "a file of many pieces") {
  std::string text;
  std::vector<std::string> ids;
  for (int i = 0; i < 60'000; ++i) {
    ids.push_back("user-" + std::to_string(i * 7919));
    text += ids.back() + (i % 3 == 0 ? "\r\n" : "\n");
  }
  REQUIRE(read(text) == "");
  CHECK(hashes == hashes_of(ids));
}

TEST_CASE_FIXTURE(ListFile, "errors name the line") {
  CHECK(read("a\n" + std::string(kMaxId, 'x') + "\n") == "");
  CHECK(read("a\n\n" + std::string(kMaxId + 1, 'x') + "\n") ==
        "line 3: the id has 1025 bytes: at most 1024 are allowed");
  CHECK(read("a\n#" + std::string(200'000, 'x') + "\n") == "line 2 is longer than 64KiB: an id has at most 1024 bytes");
}

TEST_CASE_FIXTURE(ListFile, "a file that is not there, or none") {
  CHECK(read() == "cannot be read: No such file or directory; create it, or remove the key");
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  CHECK(read() == "is not a file: name a text file with one id in each line");
  ::unlink(path.c_str());
  REQUIRE(::mkdir(path.c_str(), 0700) == 0);
  CHECK(read() == "is not a file: name a text file with one id in each line");
}

TEST_CASE_FIXTURE(ListFile, "a file that is too large is not read") {
  std::ofstream(path) << "a\n";
  REQUIRE(::truncate(path.c_str(), kMaxAllowlistFile + 1) == 0);
  CHECK(read() == "is larger than 256MiB: remove ids, or use a rule");
  CHECK(hashes.empty());
}

TEST_CASE_FIXTURE(ListFile, "the stamp is the one of the file that was read") {
  CHECK(read("a\n") == "");
  CHECK(stamp == FileStamp::of(path));
  CHECK(stamp != FileStamp{});
}

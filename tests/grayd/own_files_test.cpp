#include "grayd/own_files.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/grayd/fake_owners.hpp"
#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using namespace gray;
using namespace gray::master;

namespace {

struct OneFile {
  test::Folder folder;
  asio::io_context io;
  test::KeptEvents kept;
  fs::path path = folder.path / "file";
  bool possible = true;
  int made = 0;
  OwnFiles files{io, [this] { return std::vector<OwnFiles::File>{{"the file", path, [this] { make(); }}}; }, kept};

  void make() {
    if (!possible) throw std::runtime_error("no room");
    std::ofstream(path) << "x";
    ++made;
  }
};

}  // namespace

TEST_CASE_FIXTURE(OneFile, "a file that is missing is made again, and reported") {
  files.watch();
  CHECK(made == 1);
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0].kind == EventKind::file_restored);
  CHECK(kept.events[0].cause == "the file");
  CHECK(kept.events[0].text ==
        "the file of the file, " + path.string() + ", was removed by a different program; it was made again");
  files.watch();
  CHECK(made == 1);
  CHECK(kept.events.size() == 1);
}

TEST_CASE_FIXTURE(OneFile, "a different file at the path is left alone, also a link that leads nowhere") {
  fs::create_symlink("nowhere", path);
  files.watch();
  CHECK(made == 0);
  CHECK(kept.events.empty());
}

TEST_CASE_FIXTURE(OneFile, "a failure is reported once until the file is there again") {
  possible = false;
  for (int i = 0; i < 3; ++i) files.watch();
  REQUIRE(kept.events.size() == 1);
  CHECK(kept.events[0].kind == EventKind::file_missing);
  CHECK(kept.events[0].text.ends_with(": no room"));
  possible = true;
  files.watch();
  REQUIRE(kept.events.size() == 2);
  CHECK(kept.events[1].kind == EventKind::file_restored);
  fs::remove(path);
  possible = false;
  files.watch();
  CHECK(kept.events.size() == 3);
}

TEST_CASE_FIXTURE(OneFile, "it looks again by itself") {
  files.watch();
  fs::remove(path);
  const auto deadline = Clock::now() + Duration{10'000};
  while (made < 2 && Clock::now() < deadline) io.run_one_for(std::chrono::milliseconds(200));
  CHECK(made == 2);
}

#include "grayd/demo/private_folder.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/support/temp_folder.hpp"

using namespace gray;
namespace fs = std::filesystem;

TEST_CASE("the first place is used, private, and removed at the end") {
  test::Folder parent;
  const std::string place = parent.path / "grayd-demo";
  {
    const demo::PrivateFolder folder({place});
    CHECK(folder.path() == place);
    struct stat facts{};
    REQUIRE(::stat(place.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0700);
    std::ofstream(place + "/file") << "text";
    fs::create_directories(place + "/state/more");
  }
  CHECK_FALSE(fs::exists(place));
}

TEST_CASE("while it is used, another one gets a random name; and what a killed one has left is removed") {
  test::Folder parent;
  const std::string place = parent.path / "grayd-demo";
  fs::create_directory(place);
  ::chmod(place.c_str(), 0700);
  std::ofstream(place + "/left") << "text";
  std::string other_path;
  {
    const demo::PrivateFolder folder({place});
    CHECK(folder.path() == place);
    CHECK_FALSE(fs::exists(place + "/left"));
    std::ofstream(place + "/mine") << "text";
    const demo::PrivateFolder other({place});
    other_path = other.path();
    CHECK(other_path.starts_with("/tmp/grayd-demo-"));
    CHECK(fs::exists(place + "/mine"));
  }
  CHECK_FALSE(fs::exists(other_path));
}

TEST_CASE("a place that others may enter, or that is a link, is not used") {
  test::Folder parent, target;
  const std::string open = parent.path / "open", link = parent.path / "link";
  fs::create_directory(open);
  ::chmod(open.c_str(), 0755);
  fs::create_directory_symlink(target.path, link);
  std::ofstream(target.path / "kept") << "text";
  for (const std::string& place : {open, link}) CHECK(demo::PrivateFolder({place}).path() != place);
  CHECK(fs::exists(target.path / "kept"));
  CHECK(fs::exists(open));
}

TEST_CASE("a place whose parent is not there is passed over") {
  test::Folder parent;
  const std::string place = parent.path / "grayd-demo";
  const demo::PrivateFolder folder({parent.path / "none" / "grayd-demo", place});
  CHECK(folder.path() == place);
}

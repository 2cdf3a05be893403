#include "config/base/demo_place.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "config/base/unique_fd.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

/// Listens in `folder` as a demo does.
UniqueFd listening_in(const std::string& folder) {
  const auto address = *Address::parse("unix:" + folder + "/" + demo::kSocket);
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const auto length = address.to(storage);
  REQUIRE(::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
  REQUIRE(::listen(fd.get(), 8) == 0);
  return fd;
}

}  // namespace

TEST_CASE("the words of a break are known, and each does something else") {
  for (const auto how : demo::kBreaks) CHECK(demo::is_break(how));
  CHECK_FALSE(demo::is_break("error"));
  CHECK_FALSE(demo::is_break(""));
  CHECK(demo::break_text("errors") == "answers every request with 500");
  CHECK(demo::break_text("slow") == "answers every request 0.7 s late");
  CHECK(demo::break_text("crash") == "exits at every request");
  CHECK(demo::break_file("v2") == "broken-v2");
}

TEST_CASE("a demo is looked for in the folder of the session, then in /tmp by the number of the user") {
  const std::string in_tmp = "/tmp/grayd-demo-" + std::to_string(::geteuid());
  CHECK(demo::places("/run/user/7") == std::vector<std::string>{"/run/user/7/grayd-demo", in_tmp});
  CHECK(demo::places("") == std::vector<std::string>{in_tmp});
  CHECK(demo::places("relative") == std::vector<std::string>{in_tmp});
  CHECK(demo::places("/" + std::string(80, 'x')) == std::vector<std::string>{in_tmp});  // too long for a socket
}

TEST_CASE("only a folder of this user that no other user may enter is private") {
  test::Folder folder;
  CHECK(demo::is_private(folder.path));
  ::chmod(folder.path.c_str(), 0710);
  CHECK_FALSE(demo::is_private(folder.path));
  ::chmod(folder.path.c_str(), 0700);
  std::filesystem::create_directory_symlink(folder.path, folder.path / "link");
  CHECK_FALSE(demo::is_private(folder.path / "link"));
  CHECK_FALSE(demo::is_private(folder.path / "none"));
}

TEST_CASE("a socket counts if something listens, in a private folder") {
  test::Folder folder, other;
  const std::vector<std::string> places = {other.path, folder.path};
  CHECK(demo::living_socket(places).empty());
  UniqueFd listener = listening_in(folder.path);
  CHECK(demo::living_socket(places) == folder.path / demo::kSocket);
  ::chmod(folder.path.c_str(), 0755);
  CHECK(demo::living_socket(places).empty());
  ::chmod(folder.path.c_str(), 0700);
  listener.reset();  // the file stays
  CHECK(demo::living_socket(places).empty());
}

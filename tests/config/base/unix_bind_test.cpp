#include "config/base/unix_bind.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "config/base/unique_fd.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

struct UnixBindFixture {
  test::Folder folder;
  std::string path = folder.path / "socket";
  UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

  bool bind(mode_t mode) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return bind_with_mode(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address, mode);
  }
};

}  // namespace

TEST_CASE_FIXTURE(UnixBindFixture, "the file of the socket has the mode, whatever the umask is, and the umask stays") {
  const mode_t before = ::umask(0077);
  CHECK(bind(0666));
  CHECK(::umask(before) == 0077);
  struct stat found{};
  REQUIRE(::lstat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0666);
}

TEST_CASE_FIXTURE(UnixBindFixture, "a link in its place is not followed") {
  const std::string target = folder.path / "target";
  UniqueFd file(::open(target.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  REQUIRE(::symlink(target.c_str(), path.c_str()) == 0);
  CHECK_FALSE(bind(0666));
  CHECK(errno == EADDRINUSE);
  struct stat found{};
  REQUIRE(::stat(target.c_str(), &found) == 0);
  CHECK((found.st_mode & 0777) == 0600);
}

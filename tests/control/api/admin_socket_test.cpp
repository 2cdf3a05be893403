#include "control/api/admin_socket.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/control/fixture.hpp"

using namespace gray;
using namespace gray::control;

TEST_CASE("the socket is made with its folders, mode 0660 whatever the umask, close-on-exec") {
  TempDir dir;
  for (mode_t mask : {mode_t{0}, mode_t{0077}}) {
    mode_t before = ::umask(mask);
    UniqueFd listener = open_admin_socket(dir / ("m" + std::to_string(mask) + "/grayd.sock"));
    ::umask(before);
    struct stat info{};
    REQUIRE(::stat((dir / ("m" + std::to_string(mask) + "/grayd.sock")).c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0660);
    CHECK((::fcntl(listener.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK(connect_to(dir / ("m" + std::to_string(mask) + "/grayd.sock")));
  }
}

TEST_CASE("a stale socket is replaced") {
  TempDir dir;
  open_admin_socket(dir / "s");  // closed at once: the file stays
  REQUIRE(std::filesystem::exists(dir / "s"));
  UniqueFd listener = open_admin_socket(dir / "s");
  CHECK(connect_to(dir / "s"));
}

TEST_CASE("a socket on which a process listens is refused and keeps working") {
  TempDir dir;
  UniqueFd first = open_admin_socket(dir / "s");
  std::string error = error_of([&] { open_admin_socket(dir / "s"); });
  CHECK(contains(error, dir / "s"));
  CHECK(contains(error, "another grayd uses this socket"));
  CHECK(connect_to(dir / "s"));
}

TEST_CASE("a file that is not a socket is refused and left alone") {
  TempDir dir;
  write_file(dir / "s", "precious");
  CHECK(contains(error_of([&] { open_admin_socket(dir / "s"); }), "it exists and is not a socket"));
  CHECK(read_file(dir / "s") == "precious");
}

TEST_CASE("a path too long for a socket is refused with both lengths") {
  std::string path = "/tmp/" + std::string(120, 'x');
  std::string error = error_of([&] { open_admin_socket(path); });
  CHECK(contains(error, "the path has 125 bytes, the limit is 107"));
  CHECK(contains(error, "set a shorter admin"));
}

TEST_CASE("a folder that cannot be made is named") {
  TempDir dir;
  write_file(dir / "file", "");
  CHECK(contains(error_of([&] { open_admin_socket(dir / "file/run/s"); }), "its folder cannot be created"));
}

TEST_CASE("a folder that may not be written to is named") {
  TempDir dir;
  std::filesystem::permissions(dir.path(), std::filesystem::perms(0555));
  int before = ::setfsuid(::geteuid() == 0 ? 65534 : ::geteuid());  // root may write anywhere
  std::string error = error_of([&] { open_admin_socket(dir / "s"); });
  ::setfsuid(static_cast<uid_t>(before));
  CHECK(error == "cannot open the admin socket " + (dir / "s") + ": Permission denied");
}

#include "config/base/socket_search.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "config/base/unique_fd.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

constexpr const char* kOfTheSystem = "/run/grayd/grayd.sock";

/// An empty working directory and no GRAYCTL_SOCKET; a demo runs in `demo`.
struct SearchFixture {
  test::Folder here, demo;
  std::filesystem::path before = std::filesystem::current_path();
  UniqueFd listener{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  std::vector<std::string> demos = {demo.path.string()};
  std::string of_demo = demo.path / demo::kSocket;

  SearchFixture() {
    std::filesystem::current_path(here.path);
    ::unsetenv("GRAYCTL_SOCKET");
    sockaddr_storage storage;
    const auto length = demo.socket(demo::kSocket).to(storage);
    REQUIRE(::bind(listener.get(), reinterpret_cast<sockaddr*>(&storage), length) == 0);
    REQUIRE(::listen(listener.get(), 8) == 0);
  }
  ~SearchFixture() {
    std::filesystem::current_path(before);
    ::unsetenv("GRAYCTL_SOCKET");
  }
};

}  // namespace

TEST_CASE_FIXTURE(SearchFixture, "a grayd that is there comes before a demo, and a demo before none") {
  CHECK(usual_socket({}) == kOfTheSystem);
  const bool system_runs = std::filesystem::exists(kOfTheSystem);
  CHECK(usual_socket(demos) == (system_runs ? kOfTheSystem : of_demo));
  std::filesystem::create_directory("run");
  std::ofstream("run/grayd.sock") << "";
  CHECK(usual_socket(demos) == "run/grayd.sock");
  ::setenv("GRAYCTL_SOCKET", "/env.sock", 1);
  CHECK(usual_socket(demos) == "/env.sock");
}

TEST_CASE_FIXTURE(SearchFixture, "the verbs of a demo find it first, unless a socket is named") {
  std::filesystem::create_directory("run");
  std::ofstream("run/grayd.sock") << "";
  CHECK(demo_socket(demos) == of_demo);
  CHECK(demo_socket({}) == "run/grayd.sock");
  ::setenv("GRAYCTL_SOCKET", "/env.sock", 1);
  CHECK(demo_socket(demos) == "/env.sock");
}

#include "supervisor/process/credentials.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>

using namespace gray::supervisor;

TEST_CASE("a user is found with their groups; a missing one is not") {
  const auto root = find_user("root");
  REQUIRE(root);
  CHECK(root->uid == 0);
  CHECK(root->gid == 0);
  CHECK(root->name == "root");
  CHECK(root->home == "/root");
  CHECK(root->shell.starts_with("/"));
  CHECK(std::count(root->groups.begin(), root->groups.end(), 0u) == 1);
  CHECK_FALSE(find_user("no-such-user-here"));
  CHECK_FALSE(find_user(""));
}

TEST_CASE("a user is described by name and number, or by number") {
  CHECK(describe_user(0) == "user root (uid 0)");
  CHECK(describe_user(4'000'000'001) == "uid 4000000001");
}

TEST_CASE("only root may change the user; otherwise there is an error") {
  CHECK(may_change_user() == (::geteuid() == 0));
  const pid_t pid = ::fork();
  if (pid == 0) {
    const Credentials nobody{65534, 65534, {65534}, "nobody", "/"};
    const int error = take_on(nobody);
    const bool changed =
        ::getuid() == 65534 && ::geteuid() == 65534 && ::getgid() == 65534 && ::getgroups(0, nullptr) == 1;
    const Credentials root{0, 0, {0}, "root", "/root"};
    ::_exit((error == 0 && changed ? 1 : 0) | (take_on(root) != 0 ? 2 : 0));
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, 0) == pid);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == (::geteuid() == 0 ? 3 : 2));
}

#include "supervisor/process/worker_folder.hpp"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/base/address.hpp"
#include "config/base/archive.hpp"
#include "config/base/unique_fd.hpp"
#include "config/base/unix_bind.hpp"

using namespace gray;
using namespace gray::supervisor;
namespace fs = std::filesystem;

namespace {

const std::string kInstance = "0123456789abcdef-0123456789abcdef";  // as long as those of grayd

struct Parent {
  std::string path;
  Parent() {
    char pattern[] = "/tmp/gray-folders-XXXXXX";
    path = ::mkdtemp(pattern);
  }
  ~Parent() { fs::remove_all(path); }
};

mode_t mode_of(const std::string& path) {
  struct stat facts{};
  REQUIRE(::lstat(path.c_str(), &facts) == 0);
  return facts.st_mode & 07777;
}

UniqueFd listener_at(const std::string& path, mode_t mode) {
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage{};
  const socklen_t length = Address::parse("unix:" + path)->to(storage);
  REQUIRE(bind_with_mode(socket.get(), reinterpret_cast<const sockaddr*>(&storage), length, mode));
  REQUIRE(::listen(socket.get(), 8) == 0);
  return socket;
}

/// Whether a process of this user can connect to it.
bool connects_as(uid_t user, const std::string& path) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::syscall(SYS_setgroups, 0, nullptr);
    ::syscall(SYS_setresuid, user, user, user);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    sockaddr_storage storage{};
    const socklen_t length = Address::parse("unix:" + path)->to(storage);
    ::_exit(::connect(socket, reinterpret_cast<const sockaddr*>(&storage), length) == 0 ? 0 : 1);
  }
  int status = -1;
  ::waitpid(pid, &status, 0);
  return status == 0;
}

}  // namespace

TEST_CASE("each process has its own folder that only its user may enter, and that is removed with the process") {
  const Parent parent;
  std::string path;
  {
    WorkerFolders folders(kInstance, {parent.path});
    CHECK(folders.path().empty());
    auto first = folders.make(1, {});
    const auto second = folders.make(2, {});
    REQUIRE((first && second));
    CHECK(first->path() != second->path());
    CHECK(mode_of(first->path()) == 0700);
    CHECK(mode_of(folders.path()) == 0711);
    path = first->path();
    std::ofstream(first->listen_path()) << "left";
    first.reset();
    CHECK_FALSE(fs::exists(path));
    CHECK(fs::exists(second->path()));
    path = folders.path();
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("the paths of sockets fit, whatever the name of the state folder is") {
  WorkerFolders folders(kInstance);
  const auto folder = folders.make(UINT64_MAX, {});
  REQUIRE(folder);
  CHECK(folder->notify_path().size() <= 107);
  CHECK(folder->listen_path().size() <= 107);
}

TEST_CASE("folders of an earlier grayd of the same instance are removed, those of others are not") {
  const Parent parent;
  fs::create_directories(parent.path + "/grayd-mine/5");
  fs::create_directories(parent.path + "/grayd-other/5");
  std::ofstream(parent.path + "/grayd-mine/5/http") << "left";
  const WorkerFolders folders("mine", {parent.path});
  CHECK_FALSE(fs::exists(parent.path + "/grayd-mine"));
  CHECK(fs::exists(parent.path + "/grayd-other/5"));
}

TEST_CASE("a folder that others may write to, or a link, is not used; the next parent is") {
  const Parent first, second;
  fs::create_directories(first.path + "/victim/1");
  SUBCASE("open to all") {
    fs::create_directory(first.path + "/grayd-mine");
    ::chmod((first.path + "/grayd-mine").c_str(), 0777);
  }
  SUBCASE("link") { fs::create_symlink(first.path + "/victim", first.path + "/grayd-mine"); }
  WorkerFolders folders("mine", {first.path, second.path});
  const auto folder = folders.make(1, {});
  REQUIRE(folder);
  CHECK(folder->path() == second.path + "/grayd-mine/1");
  CHECK(fs::exists(first.path + "/victim/1"));
}

TEST_CASE("without a writable parent there is no folder") {
  WorkerFolders folders("mine", {"/nonexistent", "/proc"});
  CHECK_FALSE(folders.make(1, {}));
}

TEST_CASE("the folder of another user's worker belongs to that user") {
  if (::geteuid() != 0) return;
  const Parent parent;
  WorkerFolders folders("mine", {parent.path});
  const auto folder = folders.make(1, Credentials{12345, 23456, {}, "somebody", "/"});
  REQUIRE(folder);
  struct stat facts{};
  REQUIRE(::lstat(folder->path().c_str(), &facts) == 0);
  CHECK(facts.st_uid == 12345);
  CHECK(facts.st_gid == 23456);
}

TEST_CASE("routers of other users may connect to the socket, but not to the notify socket; nobody else may do either") {
  if (::geteuid() != 0) return;
  const Parent parent;
  ::chmod(parent.path.c_str(), 0711);
  WorkerFolders folders("mine", {parent.path});
  const auto folder = folders.make(1, Credentials{12'345, 23'456, {}, "somebody", "/"});
  REQUIRE(folder);
  CHECK(folder->admit({1, 2}).empty());  // there is no socket yet
  const UniqueFd listener = listener_at(folder->listen_path(), 0700);
  REQUIRE(::chown(folder->listen_path().c_str(), 12'345, 23'456) == 0);
  const UniqueFd notify = listener_at(folder->notify_path(), 0666);
  CHECK(connects_as(12'345, folder->listen_path()));
  CHECK_FALSE(connects_as(1, folder->listen_path()));
  for (int i = 0; i < 2; ++i) {
    CHECK(folder->admit({2, 12'345, 1, 2}).empty());
    CHECK(connects_as(12'345, folder->listen_path()));
    CHECK(connects_as(1, folder->listen_path()));
    CHECK(connects_as(2, folder->listen_path()));
    CHECK_FALSE(connects_as(3, folder->listen_path()));
    CHECK_FALSE(connects_as(1, folder->notify_path()));
    REQUIRE(::chmod(folder->listen_path().c_str(), 0600) == 0);  // as the worker may do at any time
  }
}

TEST_CASE("only a socket of the worker is opened to others") {
  if (::geteuid() != 0) return;
  const Parent parent;
  WorkerFolders folders("mine", {parent.path});
  const auto folder = folders.make(1, Credentials{12'345, 23'456, {}, "somebody", "/"});
  REQUIRE(folder);
  const std::string victim = parent.path + "/victim";
  UniqueFd listener;
  SUBCASE("a link to another's") {
    listener = listener_at(victim, 0700);
    fs::create_symlink(victim, folder->listen_path());
  }
  SUBCASE("a hard link to another's") {
    listener = listener_at(victim, 0700);
    REQUIRE(::link(victim.c_str(), folder->listen_path().c_str()) == 0);
  }
  SUBCASE("a file") {
    std::ofstream(victim) << "secret";
    REQUIRE(::link(victim.c_str(), folder->listen_path().c_str()) == 0);
  }
  const mode_t before = mode_of(victim);
  CHECK(folder->admit({1}).empty());
  CHECK(mode_of(victim) == before);
  CHECK(::getxattr(victim.c_str(), "system.posix_acl_access", nullptr, 0) < 0);
}

TEST_CASE("folders that are handed over are not removed by the old image, but by the new one") {
  const Parent parent;
  const auto folders = std::make_unique<WorkerFolders>(kInstance, std::vector{parent.path});
  auto folder = folders->make(1, {});
  REQUIRE(folder);
  const std::string path = folder->path(), below = folders->path();
  Save save;
  folders->archive(save);
  save("folder", *folder);
  const auto json = save.take();
  const WorkerFolder moved = std::move(*folder);  // the old one is empty, as if it were not destroyed
  {
    WorkerFolders resumed(kRestored);
    WorkerFolder worker(kRestored);
    CHECK(fs::exists(path));
    Load load(json, std::set<int>{});
    resumed.archive(load);
    load("folder", worker);
    CHECK(worker.path() == path);
    CHECK(fs::exists(path));
    const auto next = resumed.make(2, {});
    REQUIRE(next);
    CHECK(fs::path(next->path()).parent_path() == below);
  }
  CHECK_FALSE(fs::exists(path));
  CHECK_FALSE(fs::exists(below));
}

TEST_CASE("sockets of workers go to the runtime directory, and to the state folder at last") {
  const char* const before = ::getenv("TMPDIR");
  const std::string temporary_before = before != nullptr ? before : "";
  const auto parents_with = [&](const char* runtime, const char* temporary) {
    runtime ? ::setenv("RUNTIME_DIRECTORY", runtime, 1) : ::unsetenv("RUNTIME_DIRECTORY");
    temporary ? ::setenv("TMPDIR", temporary, 1) : ::unsetenv("TMPDIR");
    const auto parents = worker_folder_parents("/var/lib/grayd");
    ::unsetenv("RUNTIME_DIRECTORY");
    temporary_before.empty() ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", temporary_before.c_str(), 1);
    return parents;
  };
  using Paths = std::vector<std::string>;
  CHECK(parents_with(nullptr, nullptr) == Paths{"/run", "/tmp", "/var/lib/grayd"});
  CHECK(parents_with("/run/grayd:/run/other", "/scratch") ==
        Paths{"/run/grayd", "/run/other", "/run", "/scratch", "/tmp", "/var/lib/grayd"});
  CHECK(parents_with("relative", "/tmp") == Paths{"/run", "/tmp", "/var/lib/grayd"});
}

TEST_CASE("a folder whose path is too long for a socket is not used") {
  const Parent parent;
  const std::string deep = parent.path + "/" + std::string(90, 'd');
  REQUIRE(::mkdir(deep.c_str(), 0700) == 0);
  WorkerFolders only("mine", {deep});
  CHECK_FALSE(only.make(1, {}));
  CHECK(errno == ENAMETOOLONG);
  CHECK(only.tried() == deep);
  WorkerFolders both("mine", {deep, parent.path});
  CHECK(both.make(1, {}));
}

TEST_CASE("a place that other users cannot reach is used only if there is no other") {
  const Parent hidden, open;
  REQUIRE(::chmod(hidden.path.c_str(), 0700) == 0);
  REQUIRE(::chmod(open.path.c_str(), 0755) == 0);
  WorkerFolders both("mine", {hidden.path, open.path});
  REQUIRE(both.make(1, {}));
  CHECK(both.path().starts_with(open.path));
  WorkerFolders one("other", {hidden.path});
  REQUIRE(one.make(1, {}));
  CHECK(one.path().starts_with(hidden.path));
}

#include "supervisor/process/cgroup.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace gray::supervisor;

TEST_CASE("the cgroup2 mount is found, alone, beside v1, and with a space in its path") {
  CHECK(cgroup2_mount("30 23 0:28 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw\n") == "/sys/fs/cgroup");
  CHECK(cgroup2_mount("40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n"
                      "41 31 0:38 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n") ==
        "/sys/fs/cgroup/unified");
  CHECK(cgroup2_mount("41 31 0:38 / /a\\040b rw - cgroup2 cgroup2 rw\n") == "/a b");
  CHECK_FALSE(cgroup2_mount("31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"));
}

TEST_CASE("the process's own cgroup is the line of hierarchy 0") {
  CHECK(cgroup2_path("9:name=systemd:/\n4:memory:/x\n0::/system.slice/grayd.service\n") ==
        "/system.slice/grayd.service");
  CHECK_FALSE(cgroup2_path("4:memory:/x\n"));
}

TEST_CASE("the memory of a cgroup is without the cache of files") {
  CHECK(cgroup_memory("1000000\n", "anon 500\nfile 700\nkernel 3\ninactive_file 300000\nactive_file 100000\n") ==
        600'000);
  CHECK(cgroup_memory("1000\n", "inactive_file 3000\n") == 0);  // read at different times
  CHECK(cgroup_memory("1000\n", "") == 1'000);
  CHECK_FALSE(cgroup_memory("max\n", "anon 1\n"));
  CHECK_FALSE(cgroup_memory("", ""));
}

TEST_CASE("the tree hands out children of its own folder and removes everything at its end") {
  std::string path;
  {
    CgroupTree tree;
    path = tree.path();
    if (path.empty()) {
      MESSAGE("no writable cgroup v2 here");
      CHECK_FALSE(tree.child("worker-1"));
      return;
    }
    const auto child = tree.child("worker-1");
    REQUIRE(child);
    CHECK(child->path() == path + "/worker-1");
    CHECK_FALSE(child->populated());
    CHECK(child->members().empty());
    tree.give_up();
    CHECK_FALSE(tree.child("worker-2"));
  }
  struct stat info{};
  CHECK(::stat(path.c_str(), &info) != 0);
}

TEST_CASE("the empty folder of a master that is gone is removed by the next one") {
  std::string parent;
  {
    const CgroupTree tree;
    if (tree.path().empty()) return;
    parent = tree.path().substr(0, tree.path().rfind('/'));
  }
  const std::string abandoned = parent + "/grayd-99999999";  // above every pid
  REQUIRE(Cgroup::make(abandoned));
  REQUIRE(Cgroup::make(abandoned + "/worker-1"));
  const CgroupTree next;
  struct stat info{};
  CHECK(::stat(abandoned.c_str(), &info) != 0);
}

TEST_CASE("without a folder there is no cgroup, and killing a missing cgroup does nothing") {
  CHECK_FALSE(Cgroup::make("/proc/nonexistent/child"));
  const auto missing = Cgroup::make("/tmp/gray-no-cgroup-" + std::to_string(::getpid()));
  REQUIRE(missing);
  missing->remove();
  missing->kill();
}

#include "grayd/demo/grayctl_words.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

struct PathFixture {
  test::Folder folder;
  std::string before = std::getenv("PATH") != nullptr ? std::getenv("PATH") : "";

  ~PathFixture() { ::setenv("PATH", before.c_str(), 1); }
  std::string program(const std::string& name) const {
    const auto path = folder.path / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "#!/bin/sh\n";
    ::chmod(path.c_str(), 0755);
    return path;
  }
};

}  // namespace

TEST_CASE_FIXTURE(PathFixture, "grayctl is called by its name if a shell finds the right one, else by its path") {
  const std::string grayd = program("bin/grayd");
  ::setenv("PATH", (folder.path / "bin").c_str(), 1);
  CHECK(demo::grayctl_words(grayd, "") == "grayctl");  // there is none
  const std::string grayctl = program("bin/grayctl");
  CHECK(demo::grayctl_words(grayd, "") == "grayctl");
  program("other/grayctl");
  ::setenv("PATH", (folder.path / "other").c_str(), 1);
  CHECK(demo::grayctl_words(grayd, "") == grayctl);
  ::setenv("PATH", "/nonexistent", 1);
  CHECK(demo::grayctl_words(grayd, "") == grayctl);
}

TEST_CASE_FIXTURE(PathFixture, "a socket is named, and what a shell would split is quoted") {
  ::setenv("PATH", "/nonexistent", 1);
  CHECK(demo::grayctl_words("/nonexistent/grayd", "/tmp/d/s") == "grayctl --socket /tmp/d/s");
  const std::string grayd = program("my 'bin/grayd");
  program("my 'bin/grayctl");
  const std::string quoted = "'" + folder.path.string() + "/my '\\''bin/grayctl'";
  CHECK(demo::grayctl_words(grayd, "/tmp/a b") == quoted + " --socket '/tmp/a b'");
}

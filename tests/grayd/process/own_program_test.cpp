#include "grayd/process/own_program.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "tests/support/temp_folder.hpp"

using gray::master::own_program;
using gray::master::program_path;

TEST_CASE("a program keeps the name it was started by, with the links in it") {
  const gray::test::Folder folder;
  const std::string root = folder.path;
  std::filesystem::create_directory(root + "/release-1");
  std::ofstream(root + "/release-1/grayd") << "1";
  std::filesystem::create_directory_symlink("release-1", root + "/current");
  const std::string actual = root + "/release-1/grayd";
  CHECK(program_path(root + "/current/grayd", "/", actual) == root + "/current/grayd");
  CHECK(program_path("current/grayd", root, actual) == root + "/current/grayd");
  CHECK(program_path("./current/grayd", root, actual) == root + "/current/grayd");
}

TEST_CASE("a name that leads elsewhere is not used") {
  CHECK(program_path("", "/", "/usr/bin/true") == "/usr/bin/true");
  CHECK(program_path("nothing", "/", "/usr/bin/true") == "/usr/bin/true");
  CHECK(program_path("/usr/bin/false", "/", "/usr/bin/true") == "/usr/bin/true");
}

TEST_CASE("the program of this process exists") { CHECK(std::filesystem::exists(own_program())); }

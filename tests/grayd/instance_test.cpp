#include "grayd/instance.hpp"

#define XXH_INLINE_ALL
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>
#include <xxhash.h>

#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/support/temp_folder.hpp"

namespace fs = std::filesystem;
using gray::master::instance_of;
using gray::test::Folder;

TEST_CASE("a state folder keeps its name") {
  Folder folder;
  const auto first = instance_of(folder.path);
  CHECK(first.size() == 33);
  CHECK(instance_of(folder.path) == first);
}

TEST_CASE("the name is XXH3-64 of the folder's path and the content of its file, in every build") {
  Folder folder;
  std::ofstream(folder.path / "instance") << "0123456789abcdef\n";
  const std::string path = folder.path;
  CHECK(instance_of(path) == fmt::format("{:016x}-0123456789abcdef", XXH3_64bits(path.data(), path.size())));
}

TEST_CASE("a copied folder has a different name; a damaged file is replaced") {
  Folder folder, copy;
  const auto first = instance_of(folder.path);
  fs::copy_file(folder.path / "instance", copy.path / "instance");
  CHECK(instance_of(copy.path) != first);
  std::ofstream(folder.path / "instance", std::ios::trunc) << "../../etc";
  const auto fresh = instance_of(folder.path);
  CHECK(fresh != first);
  CHECK(instance_of(folder.path) == fresh);
}

TEST_CASE("a folder that cannot be written to is an error") {
  CHECK_THROWS_AS(instance_of("/proc/no/such/folder"), std::runtime_error);
}

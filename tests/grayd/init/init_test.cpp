#include "grayd/init/init.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "config/base/exit_code.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;
using namespace gray::init;

namespace {

std::string text_at(const std::filesystem::path& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

struct Folder : test::Folder {
  Folder() { std::ofstream(path / "Procfile") << "web: serve it\n"; }
  std::filesystem::path file() const { return path / "grayd.toml"; }
  int run(bool print = false, const std::string& faults = {}) const {
    master::InitArguments arguments;
    arguments.folder = path.string();
    if (print) arguments.name = "-";
    arguments.start = false;
    return run_init(arguments, "/nowhere/grayd", [&](const std::string&) { return faults; });
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(std::filesystem::directory_iterator(path), std::filesystem::directory_iterator()));
  }
};

}  // namespace

TEST_CASE("a file is created whole, readable for all, and never over another one") {
  const test::Folder folder;
  const std::string path = (folder.path / "a").string();
  REQUIRE(create_file(path, "one"));
  struct stat found{};
  REQUIRE(::stat(path.c_str(), &found) == 0);
  CHECK((found.st_mode & 07777) == 0644);
  CHECK_FALSE(create_file(path, "two"));
  CHECK(errno == EEXIST);
  CHECK(text_at(path) == "one");
  std::filesystem::create_symlink("nowhere", folder.path / "link");
  CHECK_FALSE(create_file((folder.path / "link").string(), "x"));
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path), {}) == 2);
  CHECK_FALSE(create_file((folder.path / "no" / "a").string(), "x"));
}

TEST_CASE("files that an interrupted run has left are not in the way, and stay") {
  const Folder folder;
  const std::string left = folder.file().string() + "." + std::to_string(::getpid());
  std::ofstream(left) << "left";
  CHECK(folder.run() == 0);
  CHECK(text_at(folder.file()).find("[service.") != std::string::npos);
  CHECK(text_at(left) == "left");
  CHECK(folder.files() == 3);
}

TEST_CASE("beside a file that exists another one is written under its own name") {
  const Folder folder;
  std::ofstream(folder.file()) << "mine";
  master::InitArguments arguments;
  arguments.folder = folder.path.string();
  arguments.name = "next.toml";
  arguments.start = false;
  const auto no_faults = [](const std::string&) { return std::string(); };
  CHECK(run_init(arguments, "/nowhere/grayd", no_faults) == 0);
  CHECK(text_at(folder.path / "next.toml").find("[service.") != std::string::npos);
  CHECK(run_init(arguments, "/nowhere/grayd", no_faults) == static_cast<int>(ExitCode::conflict));
  CHECK(text_at(folder.file()) == "mine");
}

TEST_CASE("the file is written once") {
  const Folder folder;
  CHECK(folder.run() == 0);
  CHECK(text_at(folder.file()).find("command = [\"serve\", \"it\"]") != std::string::npos);
  CHECK(folder.files() == 2);
  std::ofstream(folder.file()) << "mine";
  CHECK(folder.run() == static_cast<int>(ExitCode::conflict));
  CHECK(text_at(folder.file()) == "mine");
}

TEST_CASE("--print writes nothing, and does not mind a file") {
  const Folder folder;
  CHECK(folder.run(true) == 0);
  CHECK(folder.files() == 1);
  std::ofstream(folder.file()) << "mine";
  CHECK(folder.run(true) == 0);
  CHECK(text_at(folder.file()) == "mine");
}

TEST_CASE("a file that is not valid here stays, with the exit code of the check") {
  const Folder folder;
  CHECK(folder.run(false, "serve is missing\n") == static_cast<int>(ExitCode::bad_config));
  CHECK(std::filesystem::exists(folder.file()));
}

TEST_CASE("nothing recognised, and no folder, write nothing") {
  const Folder folder;
  std::filesystem::remove(folder.path / "Procfile");
  CHECK(folder.run() == static_cast<int>(ExitCode::failed));
  CHECK(folder.files() == 0);
  std::filesystem::remove(folder.path);
  CHECK(folder.run() == static_cast<int>(ExitCode::usage));
}

TEST_CASE("another port than the usual one is explained") {
  CHECK(port_text(8001, "") == "  port 8000 is in use, so http in [listen] is port 8001\n");
  CHECK(port_text(8003, "pid 7 (nginx)") ==
        "  port 8000 is in use by pid 7 (nginx), so http in [listen] is port 8003\n");
  CHECK(port_text(0, "").find("ports 8000 to 8019 are in use: correct http in [listen]") != std::string::npos);
}

TEST_CASE("the next commands name the folder, unless it is this one") {
  CHECK(next_commands("./", "grayd.toml", 8000).starts_with("  grayd --config"));
  CHECK(next_commands("shop", "grayd.toml", 8001).starts_with("  cd shop\n"));
  CHECK(next_commands(".", "next.toml", 8000).starts_with("  grayd --config next.toml\n"));
  CHECK(next_commands("shop", "grayd.toml", 8001).find("127.0.0.1:8001/") != std::string::npos);
}

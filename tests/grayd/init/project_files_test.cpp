#include "grayd/init/project_files.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "tests/support/temp_folder.hpp"

using namespace gray::init;

namespace {

void put(const std::filesystem::path& path, const std::string& text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

}  // namespace

TEST_CASE("names, programs and the texts of known files are read") {
  const gray::test::Folder folder;
  put(folder.path / "package.json", "{}");
  put(folder.path / "notes.txt", "not read");
  put(folder.path / "app.py", "app = 1");
  put(folder.path / "shop/wsgi.py", "x");
  put(folder.path / "config/puma.rb", "x");
  put(folder.path / "node_modules/main.py", "x");
  put(folder.path / "tool", "x");
  ::chmod((folder.path / "tool").c_str(), 0755);
  const Project project = read_project(folder.path);
  CHECK(project.folder_name == folder.path.filename());
  CHECK(project.text("package.json") == "{}");
  CHECK_FALSE(project.find("notes.txt")->text);
  CHECK(project.text("app.py") == "app = 1");
  CHECK(project.text("shop/wsgi.py") == "x");
  CHECK(project.has("config/puma.rb"));
  CHECK_FALSE(project.has("node_modules/main.py"));
  CHECK(project.find("tool")->executable);
  CHECK_FALSE(project.find("app.py")->executable);
  CHECK(read_project(folder.path.string() + "/").folder_name == folder.path.filename());
}

TEST_CASE("a text above the limit is not read") {
  const gray::test::Folder folder;
  put(folder.path / "package.json", std::string(kTextBytes + 1, ' '));
  put(folder.path / "Procfile", std::string(kTextBytes, ' '));
  const Project project = read_project(folder.path);
  CHECK_FALSE(project.find("package.json")->text);
  CHECK(project.find("package.json")->problem.find("larger than 256 KiB") != std::string::npos);
  CHECK(project.text("Procfile").size() == kTextBytes);
}

TEST_CASE("what is not a readable file has a reason, and does not block") {
  const gray::test::Folder folder;
  std::filesystem::create_directory(folder.path / "package.json");
  REQUIRE(::mkfifo((folder.path / "Procfile").c_str(), 0600) == 0);
  std::filesystem::create_symlink("nowhere", folder.path / "Gemfile");
  const Project project = read_project(folder.path);
  CHECK(project.find("package.json")->problem == "it is a folder");
  CHECK(project.find("Procfile")->problem == "it is not a regular file");
  CHECK(project.find("Gemfile")->problem == "it cannot be read: No such file or directory");
  if (::geteuid() == 0) return;  // root may read everything
  put(folder.path / "requirements.txt", "x");
  ::chmod((folder.path / "requirements.txt").c_str(), 0);
  CHECK(read_project(folder.path).find("requirements.txt")->problem == "it cannot be read: Permission denied");
}

TEST_CASE("a folder of very many names is cut, and the known files are found") {
  const gray::test::Folder folder;
  for (std::size_t i = 0; i < kNames + 5; ++i) put(folder.path / ("a" + std::to_string(i)), "");
  put(folder.path / "package.json", "{}");
  const Project project = read_project(folder.path);
  CHECK(project.cut);
  CHECK(project.text("package.json") == "{}");
}

TEST_CASE("a folder that is missing is an error") {
  CHECK_THROWS_AS(read_project("/nonexistent/folder"), const std::system_error&);
}

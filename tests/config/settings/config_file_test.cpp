#include "config/settings/config_file.hpp"

#include <doctest/doctest.h>

#include <fstream>

#include "config/settings/settings_toml.hpp"
#include "tests/support/temp_folder.hpp"

using namespace gray;

namespace {

struct ConfigFileFixture {
  test::Folder folder;
  std::string path = folder.path / "grayd.toml";
  std::string text = "[service.web]\nstable = \"v1\"\n[service.web.version.v1]\ncommand = [\"node\", \"app.js\"]\n";

  ConfigFileFixture() { write(text); }
  /// By rename, as editors do: a new inode, so the resolution of the clock does not matter.
  void write(const std::string& what) const {
    std::ofstream(path + ".new") << what;
    std::filesystem::rename(path + ".new", path);
  }
  Settings loaded() const { return std::get<Settings>(load_settings(path)); }
};

}  // namespace

TEST_CASE_FIXTURE(ConfigFileFixture, "a file is changed when its settings differ, not when it was touched") {
  ConfigFile file(path);
  const auto settings = loaded();
  CHECK_FALSE(file.changed(settings));
  write("# a comment\n" + text);
  CHECK_FALSE(file.changed(settings));
  write(text + "instances = 3\n");
  CHECK(file.changed(settings));
  CHECK(file.changed(settings));
  write(text);
  CHECK_FALSE(file.changed(settings));
}

TEST_CASE_FIXTURE(ConfigFileFixture, "what is in force beside the file is no difference") {
  ConfigFile file(path);
  auto settings = loaded();
  const auto add = [](Settings& fresh) { fresh.services[0].versions.push_back({.name = "43"}); };
  add(settings);
  write("# a comment\n" + text);
  CHECK_FALSE(file.changed(settings, add));
  write("# a different comment\n" + text);
  CHECK(file.changed(settings));
}

TEST_CASE_FIXTURE(ConfigFileFixture, "a file that is known to differ is not parsed again until it is touched") {
  ConfigFile file(path);
  const auto settings = loaded();
  write("# the same settings\n" + text);
  ConfigFile fresh(path);
  REQUIRE(std::holds_alternative<Settings>(fresh.read()));
  file.differs(fresh);
  CHECK(file.changed(settings));
  write(text);
  CHECK_FALSE(file.changed(settings));
}

TEST_CASE_FIXTURE(ConfigFileFixture, "a file with errors, or a missing one, counts as changed") {
  ConfigFile file(path);
  const auto settings = loaded();
  write("nonsense");
  CHECK(file.changed(settings));
  std::filesystem::remove(path);
  CHECK(file.changed(settings));
}

#pragma once
// Projects as values, for tests of the recognition.
#include <string>
#include <utility>
#include <vector>

#include "grayd/init/plan.hpp"

namespace gray::test {

using NamedFile = std::pair<std::string, init::ProjectFile>;

/// A folder `shop` with these texts and these other files.
inline init::Project project_of(const std::vector<std::pair<std::string, std::string>>& texts,
                                const std::vector<NamedFile>& others = {}) {
  init::Project project;
  project.folder_name = "shop";
  for (const auto& [path, text] : texts) project.files[path].text = text;
  for (const auto& [path, file] : others) project.files[path] = file;
  return project;
}

inline NamedFile program_file(const std::string& path) {
  init::ProjectFile file;
  file.executable = true;
  return {path, file};
}

inline NamedFile unreadable(const std::string& path) {
  init::ProjectFile file;
  file.problem = "it cannot be read: Permission denied";
  return {path, file};
}

}  // namespace gray::test

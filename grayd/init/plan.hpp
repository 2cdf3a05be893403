#pragma once
// What `grayd init` knows of a project, and what it decides. Values only: the files of a folder go in as a Project, and
// a Plan, or the reasons why there is none, come out. Only project_files.cpp reads the disk.
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gray::init {

struct ProjectFile {
  bool folder = false;
  bool executable = false;
  std::optional<std::string> text;  // only of the files that a recogniser reads
  std::string problem;              // why there is no text: unreadable, too large; empty: it was not asked for
};

struct Project {
  std::string folder_name;                   // without its path
  std::map<std::string, ProjectFile> files;  // by path from the folder: "config/puma.rb"
  bool cut = false;                          // the folder has more names than are looked at

  const ProjectFile* find(const std::string& path) const {
    const auto found = files.find(path);
    return found == files.end() ? nullptr : &found->second;
  }
  bool has(const std::string& path) const { return find(path) != nullptr; }
  /// Empty if there is no such text.
  std::string text(const std::string& path) const {
    const ProjectFile* file = find(path);
    return file ? file->text.value_or("") : std::string();
  }
};

/// How the program is told its port.
enum class PortFrom { environment, argument };

struct Plan {
  std::string kind;  // "npm", "Django with gunicorn"
  std::string from;  // the file that decided: "package.json"
  std::string name;  // of the service; empty: that of the folder
  std::vector<std::string> command;
  std::map<std::string, std::string> env;
  PortFrom port = PortFrom::environment;
  std::string ready = "no message is known: ready when it listens on PORT";  // how it becomes ready, one line
  std::string stop_signal;                                                   // empty: TERM
  std::vector<std::string> reasons;                                          // of the choices, one line each
  std::vector<std::string> notes;                                            // what may be wrong, with the remedy
};

/// What one recogniser found in the files that it looked at.
struct Found {
  std::optional<Plan> plan;
  std::map<std::string, std::string> problems;  // by file: why it is not enough, and the remedy
};

}  // namespace gray::init

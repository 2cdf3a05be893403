#include "grayd/init/project_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "config/base/unique_fd.hpp"

namespace gray::init {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTexts[] = {"Procfile", "package.json", "requirements.txt", "pyproject.toml", "Gemfile"};
/// Looked at below folders of the project; of these only whether they are there.
constexpr const char* kBelow[] = {"config/master.key",     ".next/BUILD_ID",     "config/puma.rb",
                                  "config/application.rb", "bin/rails",          "public/index.php",
                                  "dist/index.html",       ".venv/bin/gunicorn", ".venv/bin/uvicorn",
                                  "venv/bin/gunicorn",     "venv/bin/uvicorn",   "node_modules/.bin/vite",
                                  "node_modules/.bin/next"};
constexpr const char* kSourcesBelow[] = {"wsgi.py", "asgi.py", "main.py", "app.py", "__init__.py"};

std::string because(int cause) { return fmt::format("it cannot be read: {}", std::strerror(cause)); }

bool is_source(const std::string& name) {
  return name.ends_with(".py") || name.ends_with(".js") || name.ends_with(".mjs") || name.ends_with(".cjs");
}

ProjectFile look(const fs::path& path) {
  ProjectFile file;
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return file;
  file.folder = S_ISDIR(found.st_mode);
  file.executable = S_ISREG(found.st_mode) && ::access(path.c_str(), X_OK) == 0 && (found.st_mode & 0111) != 0;
  return file;
}

class Reader {
 public:
  explicit Reader(std::string folder) : folder_(std::move(folder)) {}

  Project read() {
    list();
    for (const char* name : kTexts) add_text(name, project_.has(name));
    for (const char* path : kBelow)
      if (fs::exists(at(path), ignored_)) project_.files[path] = look(at(path));
    std::vector<std::string> names;
    for (const auto& [name, file] : project_.files) names.push_back(name);
    for (const std::string& name : names) {
      const ProjectFile file = project_.files[name];
      if (!file.folder && is_source(name) && name.find('/') == name.npos) add_source(name);
      if (file.folder && !name.starts_with('.') && name != "node_modules" && name != "venv") add_sources_below(name);
    }
    return std::move(project_);
  }

 private:
  fs::path at(const std::string& path) const { return fs::path(folder_) / path; }

  void list() {
    std::error_code why;
    fs::directory_iterator entries(folder_, why);
    for (; !why && entries != fs::directory_iterator(); entries.increment(why)) {
      if (project_.files.size() == kNames) {
        project_.cut = true;
        break;
      }
      project_.files[entries->path().filename().string()] = look(entries->path());
    }
    if (why) throw std::system_error(why, folder_);
    // The known names matter even if the folder has very many others.
    for (const char* name : {"Procfile", "package.json", "requirements.txt", "pyproject.toml", "Gemfile", "manage.py",
                             "config.ru", "index.php", "server.js", "app.py", "main.py"})
      if (fs::exists(at(name), ignored_)) project_.files[name] = look(at(name));
    project_.folder_name = fs::absolute(folder_).lexically_normal().filename().string();
    if (project_.folder_name.empty())
      project_.folder_name = fs::absolute(folder_).lexically_normal().parent_path().filename().string();
  }

  void add_text(const std::string& path, bool there) {
    if (!there) return;
    ProjectFile& file = project_.files[path];
    ProjectFile read = file.folder ? ProjectFile{.folder = true, .problem = "it is a folder"} : read_text(at(path));
    read.executable = file.executable;
    file = std::move(read);
  }

  void add_source(const std::string& path) {
    if (sources_ == kSources) return;
    ++sources_;
    add_text(path, true);
  }

  void add_sources_below(const std::string& folder) {
    if (fs::is_symlink(at(folder), ignored_)) return;
    for (const char* name : kSourcesBelow) {
      const std::string path = folder + "/" + name;
      if (!fs::is_regular_file(at(path), ignored_)) continue;
      project_.files[path] = look(at(path));
      add_source(path);
    }
  }

  std::string folder_;
  Project project_;
  std::size_t sources_ = 0;
  std::error_code ignored_;
};

}  // namespace

ProjectFile read_text(const std::string& path, std::size_t limit) {
  ProjectFile file;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat found{};
  if (!fd || ::fstat(fd.get(), &found) != 0) {
    file.problem = because(errno);
    return file;
  }
  if (!S_ISREG(found.st_mode)) {
    file.problem = "it is not a regular file";
    return file;
  }
  std::string text(limit + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(fd.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      file.problem = because(errno);
      return file;
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) {
    file.problem = fmt::format("it is larger than {} KiB and was not read: write grayd.toml by hand", limit / 1024);
    return file;
  }
  text.resize(size);
  file.text = std::move(text);
  return file;
}

Project read_project(const std::string& folder) { return Reader(folder).read(); }

}  // namespace gray::init

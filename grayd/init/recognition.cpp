#include "grayd/init/recognition.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "grayd/init/command_words.hpp"
#include "grayd/init/node_project.hpp"
#include "grayd/init/python_project.hpp"

namespace gray::init {
namespace {

Found problem(const std::string& file, std::string text) { return {std::nullopt, {{file, std::move(text)}}}; }

/// The text behind "web:"; nothing if there is no such line.
std::optional<std::string> web_line(const std::string& procfile) {
  std::istringstream lines(procfile);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("web:")) continue;
    const std::size_t begin = line.find_first_not_of(" \t", 4);
    const std::size_t end = line.find_last_not_of(" \t\r");
    return begin == line.npos ? std::string() : line.substr(begin, end + 1 - begin);
  }
  return std::nullopt;
}

Found find_procfile(const Project& project) {
  const ProjectFile* file = project.find("Procfile");
  if (!file) return {};
  if (!file->text) return problem("Procfile", file->problem);
  const auto line = web_line(*file->text);
  if (!line) return problem("Procfile", "it has no web: line: add web: COMMAND");
  if (line->empty()) return problem("Procfile", "its web: line is empty: add the command");
  Plan plan;
  plan.kind = "Procfile";
  plan.from = "Procfile";
  const ShellText text = read_shell_text(*line);
  plan.command = text.words.empty() ? shell_command(*line, text.single) : text.words;
  plan.env = text.env;
  plan.reasons.push_back("Procfile has a web: line, which decides");
  if (line->find("PORT") != line->npos) plan.port = PortFrom::argument;
  if (line->find("0.0.0.0") != line->npos)
    plan.notes.push_back("the web: line listens on 0.0.0.0: $HOST there lets only this host connect");
  if (has_word(*line, "gunicorn")) plan.ready = "gunicorn sends READY=1 when it listens (notify)";
  return {plan, {}};
}

/// Until Rails 7.1 a production logs to a file, and serves no file of public/, unless it is told to.
std::string rails_note(bool has_key) {
  return fmt::format(R"(Rails runs for development unless told otherwise: for users, the version needs env = )"
                     R"({{ RAILS_ENV = "production", RAILS_LOG_TO_STDOUT = "1", RAILS_SERVE_STATIC_FILES = "1"{} }})",
                     has_key ? "" : R"(, SECRET_KEY_BASE = "...")");
}

Found find_ruby(const Project& project) {
  const bool gems = project.has("Gemfile");
  if (!project.has("config.ru")) {
    if (gems || project.has("config/puma.rb"))
      return problem("config.ru", fmt::format("it is missing beside {}: puma needs it to find the application",
                                              gems ? "Gemfile" : "config/puma.rb"));
    return {};
  }
  Plan plan;
  const bool rails = project.has("bin/rails") || project.has("config/application.rb");
  plan.kind = rails ? "Rails with puma" : "puma";
  plan.from = "config.ru";
  plan.command = shell_command(std::string(gems ? "bundle exec " : "") + R"(puma --bind "tcp://$HOST:$PORT")");
  plan.port = PortFrom::argument;
  plan.ready = has_word(project.text("Gemfile"), "sd_notify")
                   ? "puma sends READY=1 by the gem sd_notify (notify)"
                   : "puma sends no message without the gem sd_notify: ready when it listens on PORT";
  plan.reasons.push_back("config.ru is here, which puma serves");
  if (gems) plan.reasons.push_back("Gemfile is here: bundle exec starts the puma that it names");
  if (gems && project.find("Gemfile")->text && !has_word(project.text("Gemfile"), "puma"))
    plan.notes.push_back("Gemfile does not name puma: add gem \"puma\", then run bundle install");
  if (rails) plan.notes.push_back(rails_note(project.has("config/master.key")));
  return {plan, {}};
}

Found find_php(const Project& project) {
  const bool in_public = project.has("public/index.php");
  if (!in_public && !project.has("index.php")) return {};
  Plan plan;
  plan.kind = "PHP (php -S)";
  plan.from = in_public ? "public/index.php" : "index.php";
  plan.command = shell_command(std::string(R"(php -S "$HOST:$PORT")") + (in_public ? " -t public" : ""));
  plan.port = PortFrom::argument;
  plan.ready = "php -S sends no message: ready when it listens on PORT";
  plan.stop_signal = "INT";
  plan.reasons.push_back(plan.from + " is here");
  plan.notes.push_back("php -S answers one request at a time: raise instances, or use php-fpm for many users");
  return {plan, {}};
}

Found find_binary(const Project& project) {
  std::vector<std::string> programs;
  for (const auto& [path, file] : project.files)
    if (file.executable && path.find('/') == path.npos && path != "manage.py") programs.push_back(path);
  if (programs.empty()) return {};
  std::string chosen = programs.size() == 1 ? programs.front() : std::string();
  for (const std::string& usual : {project.folder_name, std::string("server"), std::string("web"), std::string("app")})
    if (chosen.empty() && std::ranges::count(programs, usual) > 0) chosen = usual;
  if (chosen.empty())
    return problem("an executable file",
                   fmt::format("there are {}, among them {} and {}: name the right one in grayd.toml", programs.size(),
                               programs[0], programs[1]));
  Plan plan;
  plan.kind = "executable file";
  plan.from = chosen;
  plan.command = {"./" + chosen};
  plan.reasons.push_back(programs.size() == 1
                             ? chosen + " is the only executable file here"
                             : fmt::format("{} has the usual name of {} executable files", chosen, programs.size()));
  return {plan, {}};
}

struct Kind {
  const char* file;       // the problem of which file is shown
  const char* also = "";  // or of this one
  const char* wanted;     // shown if nothing is known about the file
  Found (*find)(const Project&);
};

constexpr Kind kKinds[] = {
    {"Procfile", "", "a web: line", find_procfile},
    {"manage.py", "", "and a folder with wsgi.py: Django", find_django},
    {"config.ru", "", "with Gemfile or config/puma.rb: puma, Rails", find_ruby},
    {"package.json", "", "with a start script: npm, yarn, pnpm, Vite, Next", find_node},
    {"requirements.txt", "pyproject.toml", "or pyproject.toml, and a file with app = Flask(...) or FastAPI(...)",
     find_python_app},
    {"index.php", "", "or public/index.php: PHP", find_php},
    {"an executable file", "", "a compiled program or a script with #!", find_binary},
};

/// A file that decides what to run, and has a mistake: it is worth a note beside another program. A package.json
/// without a start script is not: it may be there for the pages only.
bool is_broken(const Project& project, const std::string& file) {
  if (file == "package.json") return !find_node(project).problems.at(file).starts_with("it has no start script");
  return file == "Procfile";
}

/// Of a kind that was not recognised.
std::string looked_for(const Kind& kind, const Found& found) {
  for (const char* file : {kind.file, kind.also})
    if (const auto it = found.problems.find(file); it != found.problems.end())
      return fmt::format("{}: {}", it->first, it->second);
  return fmt::format("{} ({}): not here", kind.file, kind.wanted);
}

}  // namespace

Recognition recognise(const Project& project) {
  Recognition result;
  std::vector<std::string> notes;
  for (const Kind& kind : kKinds) {
    Found found = kind.find(project);
    for (const auto& [file, text] : found.problems)
      if (is_broken(project, file)) notes.push_back(fmt::format("{}: {}", file, text));
    if (!result.plan) {
      result.looked_for.push_back(looked_for(kind, found));
      result.plan = std::move(found.plan);
    } else if (found.plan && kind.find != find_binary && found.plan->from != result.plan->from) {
      // An executable file is often a tool beside the program: it is not worth a line.
      result.plan->reasons.push_back(
          fmt::format("{} is here, too ({}), but {} decides", found.plan->from, found.plan->kind, result.plan->from));
    }
  }
  if (result.plan) {
    result.looked_for.clear();
    result.plan->notes.insert(result.plan->notes.end(), notes.begin(), notes.end());
  } else if (project.cut) {
    result.looked_for.push_back("the folder has more names than were looked at");
  }
  return result;
}

}  // namespace gray::init

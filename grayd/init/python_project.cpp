#include "grayd/init/python_project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "grayd/init/command_words.hpp"

namespace gray::init {
namespace {

constexpr const char* kLists[] = {"requirements.txt", "pyproject.toml"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// The file that names the package; empty: none does.
std::string list_with(const Project& project, const std::string& package) {
  for (const char* list : kLists)
    if (has_word(lower(project.text(list)), package)) return list;
  return {};
}

/// The server program: that of the project's own environment, else the one in PATH.
std::string server_program(const Project& project, const std::string& server, Plan& plan) {
  for (const char* folder : {".venv", "venv"}) {
    const std::string path = fmt::format("{}/bin/{}", folder, server);
    if (!project.has(path)) continue;
    plan.reasons.push_back(fmt::format("{} is in the folder {}", server, folder));
    return path;
  }
  if (list_with(project, server).empty())
    plan.notes.push_back(
        fmt::format("{0} is in none of requirements.txt, pyproject.toml and .venv: it must be in PATH "
                    "(pip install {0})",
                    server));
  return server;
}

void run_gunicorn(const Project& project, const std::string& app, Plan& plan) {
  plan.command =
      shell_command(fmt::format(R"({} --bind "$HOST:$PORT" {})", server_program(project, "gunicorn", plan), app));
  plan.port = PortFrom::argument;
  plan.ready = "gunicorn sends READY=1 when it listens (notify)";
}

void run_uvicorn(const Project& project, const std::string& app, Plan& plan) {
  plan.command = shell_command(
      fmt::format(R"({} --host "$HOST" --port "$PORT" {})", server_program(project, "uvicorn", plan), app));
  plan.port = PortFrom::argument;
  plan.ready = "uvicorn sends no message: ready when it listens on PORT";
}

/// "shop/main.py" is shop.main, and "shop/__init__.py" is shop.
std::string module_of(std::string path) {
  constexpr std::string_view kInit = "/__init__.py";
  if (path.ends_with(kInit)) path.replace(path.size() - kInit.size(), kInit.size(), ".py");
  path.resize(path.size() - 3);
  std::ranges::replace(path, '/', '.');
  return path;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

bool is_identifier(std::string_view text) {
  return !text.empty() && !std::isdigit(static_cast<unsigned char>(text.front())) &&
         std::ranges::all_of(text, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; });
}

std::optional<PythonApp> app_in_line(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == line.npos || line.front() == ' ' || line.front() == '\t') return std::nullopt;
  const std::string_view left = line.substr(0, equals);
  const std::string_view name = trimmed(left.substr(0, left.find(':')));  // "app: FastAPI = ..."
  const std::string_view right = trimmed(line.substr(equals + 1));
  const std::size_t bracket = right.find('(');
  if (!is_identifier(name) || bracket == right.npos) return std::nullopt;
  std::string_view maker = right.substr(0, bracket);
  if (const std::size_t dot = maker.rfind('.'); dot != maker.npos) maker.remove_prefix(dot + 1);
  for (const char* known : {"Flask", "FastAPI", "Starlette", "Quart"})
    if (maker == known) return PythonApp{std::string(name), known};
  return std::nullopt;
}

/// The usual names first, then by path.
std::vector<std::string> sources_of(const Project& project) {
  std::vector<std::string> sources;
  for (const auto& [path, file] : project.files)
    if (path.ends_with(".py") && file.text) sources.push_back(path);
  const auto rank = [](const std::string& path) {
    int value = path.find('/') == path.npos ? 0 : 10;
    for (const char* usual : {"app.py", "main.py", "wsgi.py", "asgi.py", "server.py"}) {
      if (path.substr(path.rfind('/') + 1) == usual) return value;
      ++value;
    }
    return value;
  };
  std::ranges::stable_sort(sources, {}, rank);
  return sources;
}

}  // namespace

std::optional<PythonApp> python_app_in(const std::string& source) {
  std::istringstream lines(source);
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) {
      if (auto app = app_in_line(line)) return app;
      // Flask's own name for a function that makes the application.
      if (line.starts_with("def create_app(") && has_word(source, "Flask")) return PythonApp{"create_app()", "Flask"};
    }
  return std::nullopt;
}

Found find_django(const Project& project) {
  if (!project.has("manage.py")) return {};
  std::string wsgi, asgi;
  for (const auto& [path, file] : project.files) {
    if (path.ends_with("/wsgi.py")) wsgi = path;
    if (path.ends_with("/asgi.py")) asgi = path;
  }
  if (wsgi.empty() && asgi.empty())
    return {std::nullopt, {{"manage.py", "no folder beside it has a wsgi.py: django-admin startproject writes one"}}};
  Plan plan;
  plan.from = "manage.py";
  const bool async = wsgi.empty() || (!asgi.empty() && list_with(project, "gunicorn").empty() &&
                                      !list_with(project, "uvicorn").empty());
  plan.kind = async ? "Django with uvicorn" : "Django with gunicorn";
  plan.reasons.push_back(fmt::format("manage.py and {} are here", async ? asgi : wsgi));
  if (async) {
    run_uvicorn(project, module_of(asgi) + ":application", plan);
  } else {
    run_gunicorn(project, module_of(wsgi) + ":application", plan);
  }
  plan.reasons.push_back("manage.py runserver is a development server");
  return {plan, {}};
}

Found find_python_app(const Project& project) {
  for (const std::string& path : sources_of(project)) {
    const auto app = python_app_in(project.text(path));
    if (!app) continue;
    Plan plan;
    plan.from = path;
    const bool made = app->name.ends_with(')');
    plan.reasons.push_back(made ? fmt::format("{} has {} for {}", path, app->name, app->maker)
                                : fmt::format("{} has {} = {}(...)", path, app->name, app->maker));
    const std::string plain = fmt::format("{}:{}", module_of(path), app->name);
    const std::string target = made ? "\"" + plain + "\"" : plain;
    const bool wsgi = app->maker == "Flask";
    plan.kind = fmt::format("{} with {}", app->maker, wsgi ? "gunicorn" : "uvicorn");
    wsgi ? run_gunicorn(project, target, plan) : run_uvicorn(project, target, plan);
    return {plan, {}};
  }
  for (const char* server : {"gunicorn", "uvicorn"})
    if (const std::string list = list_with(project, server); !list.empty())
      return {std::nullopt,
              {{list, fmt::format("it names {}, but no file has app = Flask(...) or app = FastAPI(...): write a "
                                  "Procfile with web: {} MODULE:APP",
                                  server, server)}}};
  Found found;
  for (const char* list : kLists)
    if (const ProjectFile* file = project.find(list); file && !file->problem.empty())
      found.problems[list] = file->problem;
  return found;
}

}  // namespace gray::init

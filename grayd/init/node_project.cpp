#include "grayd/init/node_project.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "grayd/init/command_words.hpp"

namespace gray::init {
namespace {

using nlohmann::json;

constexpr const char* kPackage = "package.json";

std::string text_in(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& table_in(const json& object, const char* key) {
  static const json none = json::object();
  const auto found = object.find(key);
  return found != object.end() && found->is_object() ? *found : none;
}

bool depends_on(const json& package, const char* name) {
  return table_in(package, "dependencies").contains(name) || table_in(package, "devDependencies").contains(name);
}

/// The package manager: the key packageManager decides, then the lock files.
std::string manager_of(const Project& project, const json& package, std::vector<std::string>& notes) {
  const std::string asked = text_in(package, "packageManager");
  for (const char* name : {"npm", "yarn", "pnpm"})
    if (asked.starts_with(std::string(name) + "@")) return name;
  const std::pair<const char*, const char*> locks[] = {
      {"npm", "package-lock.json"}, {"yarn", "yarn.lock"}, {"pnpm", "pnpm-lock.yaml"}};
  std::string chosen, file;
  for (const auto& [name, lock] : locks) {
    if (!project.has(lock)) continue;
    if (chosen.empty()) {
      chosen = name;
      file = lock;
    } else {
      notes.push_back(fmt::format("{} and {} are both here; {} was chosen: remove the lock file that is not used", file,
                                  lock, chosen));
    }
  }
  return chosen.empty() ? "npm" : chosen;
}

bool is_script_file(const std::string& word) {
  return word.ends_with(".js") || word.ends_with(".mjs") || word.ends_with(".cjs");
}

/// What the text of the main file shows about readiness and the port.
void read_main_file(const Project& project, const std::string& path, Plan& plan) {
  const std::string text = project.text(path);
  if (text.empty()) return;
  if (text.find("process.send") != text.npos && text.find("ready") != text.npos)
    plan.ready = fmt::format("{} sends 'ready' to its parent process (ipc)", path);
  if (text.find("env.PORT") == text.npos && text.find("env['PORT']") == text.npos &&
      text.find("env[\"PORT\"]") == text.npos && text.find("listen") != text.npos)
    plan.notes.push_back(
        fmt::format("{} does not mention PORT: let it listen on process.env.PORT and process.env.HOST", path));
}

void set_tool(const Project& project, Plan& plan, const std::string& tool, const std::string& arguments) {
  const std::string file = "node_modules/.bin/" + tool;
  plan.command = shell_command(file + " " + arguments);
  plan.port = PortFrom::argument;
  if (!project.has(file)) plan.notes.push_back(file + " is missing: install the packages first (npm install)");
}

/// The program of a script that is the tool with arguments of its own, such as "vite --open".
bool runs(const std::string& script, const std::string& tool) {
  const auto words = read_shell_text(script).words;
  return !words.empty() && words.front() == tool;
}

bool plan_vite(const Project& project, const json& package, const std::string& start, Plan& plan) {
  if (!(start.empty() ? depends_on(package, "vite") : runs(start, "vite"))) return false;
  plan.kind = "Vite (preview)";
  set_tool(project, plan, "vite", R"(preview --host "$HOST" --port "$PORT" --strictPort)");
  plan.reasons.push_back("vite preview serves the built files; the development server is not for users");
  if (!project.has("dist/index.html")) plan.notes.push_back("dist/index.html is missing: build it first (vite build)");
  return true;
}

bool plan_next(const Project& project, const json& package, const std::string& start, Plan& plan) {
  if (!depends_on(package, "next") || !(start.empty() || runs(start, "next"))) return false;
  plan.kind = "Next (next start)";
  set_tool(project, plan, "next", R"(start --hostname "$HOST" --port "$PORT")");
  plan.reasons.push_back("next start serves the built pages, and gets its port as an argument");
  // A build that failed, and next dev, leave a folder .next without it.
  if (!project.has(".next/BUILD_ID")) plan.notes.push_back(".next/BUILD_ID is missing: build it first (next build)");
  return true;
}

void note_development_server(const std::string& start, Plan& plan) {
  for (const char* tool : {"nodemon", "react-scripts", "webpack-dev-server", "ng serve", "nuxt dev"})
    if (start.find(tool) != start.npos)
      plan.notes.push_back(
          fmt::format("the start script runs {}, a development server: it restarts or compiles by "
                      "itself; give users a start script that only serves",
                      tool));
}

void plan_start(const Project& project, const std::string& manager, const std::string& start, Plan& plan) {
  plan.kind = manager;
  const ShellText text = read_shell_text(start);
  const bool is_node = !text.words.empty() &&
                       (text.words.front() == "node" || text.words.front() == "bun" || text.words.front() == "deno");
  if (is_node) {
    plan.command = text.words;
    plan.env = text.env;
    plan.reasons.push_back(fmt::format(
        "the start script is one program, run without {}: signals and the ready message reach it", manager));
    const auto file = std::ranges::find_if(text.words, is_script_file);
    if (file != text.words.end()) read_main_file(project, file->starts_with("./") ? file->substr(2) : *file, plan);
  } else {
    plan.command = {manager, "start"};
    plan.reasons.push_back(fmt::format("the start script is: {}", start));
  }
  note_development_server(start, plan);
}

/// Yarn can keep packages without the folder.
void note_missing_packages(const Project& project, const json& package, const std::string& manager, Plan& plan) {
  if (table_in(package, "dependencies").empty() || project.has("node_modules") || project.has(".pnp.cjs")) return;
  plan.notes.push_back(fmt::format("node_modules is missing: install the packages first ({} install)", manager));
}

/// "3:5" of a byte in the text.
std::string place_of(const std::string& text, std::size_t byte) {
  byte = std::min(byte > 0 ? byte - 1 : 0, text.size());
  const auto begin = text.begin(), end = begin + static_cast<std::ptrdiff_t>(byte);
  const std::size_t line_begin = byte == 0 ? std::string::npos : text.rfind('\n', byte - 1);
  return fmt::format("{}:{}", 1 + std::count(begin, end, '\n'),
                     1 + byte - (line_begin == std::string::npos ? 0 : line_begin + 1));
}

Found problem(std::string text) { return {std::nullopt, {{kPackage, std::move(text)}}}; }

Found plan_package(const Project& project, const json& package) {
  Plan plan;
  plan.from = kPackage;
  plan.name = text_in(package, "name");
  const std::string start = text_in(table_in(package, "scripts"), "start");
  if (!start.empty()) plan.reasons.push_back("package.json has a start script");
  const std::string manager = manager_of(project, package, plan.notes);
  if (plan_next(project, package, start, plan) || plan_vite(project, package, start, plan)) return {plan, {}};
  if (!start.empty()) {
    plan_start(project, manager, start, plan);
    note_missing_packages(project, package, manager, plan);
  } else if (project.has("server.js")) {
    plan.kind = manager;
    plan.command = {"node", "server.js"};
    plan.reasons.push_back("package.json has no start script, so npm start runs server.js");
    read_main_file(project, "server.js", plan);
  } else {
    return problem(R"(it has no start script: add "scripts": { "start": "node server.js" })");
  }
  return {plan, {}};
}

}  // namespace

Found find_node(const Project& project) {
  const ProjectFile* file = project.find(kPackage);
  if (!file) return {};
  if (!file->text) return problem(file->problem);
  try {
    const json package = json::parse(*file->text);
    if (!package.is_object()) return problem("it is not a JSON object: npm init writes one");
    return plan_package(project, package);
  } catch (const json::parse_error& error) {
    return problem(fmt::format("it is not valid JSON at {}: correct it there", place_of(*file->text, error.byte)));
  }
}

}  // namespace gray::init

#include "grayd/process/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "config/base/diagnostics.hpp"
#include "config/base/exit_code.hpp"
#include "config/base/units.hpp"
#include "control/version.hpp"

namespace gray::master {
namespace {

constexpr const char* kExamples = R"(Examples:
  grayd --config /etc/grayd/grayd.toml            serve in the foreground; SIGTERM drains and ends
  grayd --config /etc/grayd/grayd.toml --check    validate and exit: 0 valid, 8 not valid
  grayd init                                      write a first grayd.toml for the project in this folder
  grayd demo                                      two versions of a small service with users, until Ctrl-C
  grayd doctor                                    say what is wrong with a running grayd and its workers, and the remedy
  grayd schema > grayd.schema.json                the keys of the configuration, for editors
  grayctl reload                                  apply a changed configuration, completely or not at all
  grayctl status                                  ask a running grayd
)";

constexpr const char* kDoctorExamples =
    R"(It asks grayd over its admin socket, and looks at its processes in /proc. It changes nothing. What it may not
look at as this user is said. Without --config and --socket it looks for the socket where grayctl does: $GRAYCTL_SOCKET,
run/grayd.sock, /run/grayd/grayd.sock.

Examples:
  grayd doctor                                      the grayd of this folder, or of the host
  grayd doctor --config /etc/grayd/grayd.toml       the grayd that this file is for
  sudo grayd doctor -o json                         for programs

Exit codes: 0 nothing but hints was found, 1 something was, 2 usage, 4 the socket may not be used, 5 no answer, 7 no
grayd answers, 8 the file is not valid.
)";

constexpr const char* kSchemaExamples =
    R"(It is a JSON Schema (draft-07) with every key of the configuration: type, range, default and text. A line at the
top of a grayd.toml tells an editor which schema to use (Taplo, Even Better TOML):

  #:schema /usr/share/grayd/grayd.schema.json

Examples:
  grayd schema > grayd.schema.json
)";

constexpr const char* kInitExamples =
    R"(It recognises npm, yarn, pnpm, Vite, Next, Django, Flask, FastAPI, Rails, puma, PHP, an executable file, and a
Procfile, whose web: line decides. A file that exists is never changed: name another one to run it again.

Examples:
  grayd init                          look at this folder, write grayd.toml, start the program once
  grayd init /srv/shop                the same for another folder
  grayd init --print                  only print the file, start nothing; the same as --output -
  grayd init --output next.toml       write this file instead of grayd.toml, in the same folder
  grayd init --no-start               write and check the file, start nothing
  grayd init --timeout 60s            for a program that needs longer until it is ready

Exit codes: 0 the program was healthy, 1 it was not, or nothing was recognised, 3 the file exists, 5 it was not healthy
in time, 8 the file was written but is not valid here, for example because a program is missing.
)";

constexpr const char* kDemoExamples =
    R"(Everything that it needs is in this program. It serves 127.0.0.1 only, and at its end nothing is left: no process
and no file. If the port is taken it uses a free one and says so.

Examples:
  grayd demo                          then in a second terminal: grayctl top
  grayd demo --port 0                 any free port
  grayctl demo break v2               v2 fails, and its users go back to v1 by themselves
  grayctl demo heal v2                it works again; then: grayctl rollout retry web

Exit codes: 0 after Ctrl-C, 1 if it could not be started.
)";

CommandLine leave_with_usage(const std::string& problem, const std::string& program = "grayd") {
  CommandLine line;
  line.exit_code = static_cast<int>(ExitCode::usage);
  line.error = "grayd: " + problem + "\nTry: " + program + " --help\n";
  return line;
}

CLI::App* add_router_mode(CLI::App& app, RouterArguments& router, UserIds& user) {
  auto* mode = app.add_subcommand("router", "")->group("");
  mode->add_option("--channel", router.channel)->required();
  mode->add_option("--segment", router.segment)->required();
  mode->add_option("--freed", router.freed)->required();
  mode->add_option("--access-log", router.access_log);
  mode->add_option("--listeners", router.listeners)->required()->check(CLI::NonNegativeNumber);
  mode->add_option("--proxied", router.proxied)->check(CLI::NonNegativeNumber);
  mode->add_option("--secured", router.secured)->check(CLI::NonNegativeNumber);
  auto* uid = mode->add_option("--uid", user.uid);
  mode->add_option("--gid", user.gid)->needs(uid);
  return mode;
}

CLI::App* add_guard_mode(CLI::App& app, GuardArguments& guard) {
  auto* mode = app.add_subcommand("guard", "")->group("");
  mode->add_option("--groups", guard.groups)->required();
  mode->add_option("--cgroup", guard.cgroup);
  return mode;
}

CLI::App* add_resume_mode(CLI::App& app, ResumeArguments& resume) {
  auto* mode = app.add_subcommand("resume", "")->group("");
  mode->add_option("--state", resume.state)->required();
  mode->add_option("--back", resume.back);
  mode->add_option("--returned", resume.returned);
  return mode;
}

CLI::App* add_demo_mode(CLI::App& app, DemoArguments& demo) {
  auto* mode = app.add_subcommand("demo", "Show a release that goes back by itself, with users, in this terminal");
  mode->add_option("--port", demo.port, "The port on 127.0.0.1; 0: any free one (default: 8000)")->type_name("PORT");
  mode->footer(kDemoExamples);
  return mode;
}

struct InitTexts {
  std::string timeout = "20s";
  bool print = false;
  bool no_start = false;
};

CLI::App* add_init_mode(CLI::App& app, InitArguments& init, InitTexts& texts) {
  auto* mode = app.add_subcommand("init", "Write a first grayd.toml for the project in a folder, and try it once");
  mode->add_option("FOLDER", init.folder, "The folder of the project (default: this one)")->type_name("");
  mode->add_option("--output", init.name, "The file to write in the folder (default: grayd.toml); -: print it")
      ->type_name("FILE");
  mode->add_flag("--print", texts.print, "Print the file instead of writing it; nothing is started");
  mode->add_flag("--no-start", texts.no_start, "Do not start the program once");
  mode->add_option("--timeout", texts.timeout, "How long the program may need until it is healthy (default: 20s)")
      ->type_name("DURATION");
  mode->footer(kInitExamples);
  return mode;
}

struct DoctorTexts {
  std::string output = "text";
};

CLI::App* add_doctor_mode(CLI::App& app, DoctorArguments& doctor, DoctorTexts& texts) {
  auto* mode = app.add_subcommand("doctor", "Look at a running grayd and its workers, and say what to correct");
  mode->add_option("-c,--config", doctor.config, "The file whose grayd is looked at")->type_name("FILE");
  mode->add_option("--socket", doctor.socket, "The admin socket of grayd")->type_name("PATH");
  mode->add_option("-o,--output", texts.output, "text or json (default: text)")->type_name("FORMAT");
  mode->footer(kDoctorExamples);
  return mode;
}

CLI::App* add_schema_mode(CLI::App& app) {
  auto* mode = app.add_subcommand("schema", "Print the JSON Schema of the configuration, for editors");
  mode->footer(kSchemaExamples);
  return mode;
}

CommandLine doctor_line(CommandLine line, const DoctorTexts& texts) {
  if (line.doctor.config.empty()) line.doctor.config = line.config;
  if (!line.doctor.config.empty() && !line.doctor.socket.empty())
    return leave_with_usage("doctor takes --config or --socket, not both");
  if (texts.output != "text" && texts.output != "json")
    return leave_with_usage("--output " + texts.output + ": write text or json");
  line.doctor.json = texts.output == "json";
  line.mode = CommandLine::Mode::doctor;
  return line;
}

CommandLine init_line(CommandLine line, const InitTexts& texts) {
  if (!line.config.empty()) return leave_with_usage("init takes no --config: it writes FOLDER/grayd.toml");
  if (line.init.name.empty() || line.init.name.find('/') != std::string::npos || line.init.name == "." ||
      line.init.name == "..")
    return leave_with_usage("--output \"" + line.init.name +
                            "\": it must be the name of a file in the folder, such as next.toml, because relative "
                            "paths in it begin there");
  if (texts.print) line.init.name = "-";
  const auto timeout = parse_duration(texts.timeout);
  if (!timeout || *timeout < Duration{1'000} || *timeout > Duration{3'600'000})
    return leave_with_usage("--timeout " + texts.timeout + ": it must be 1s to 1h, such as \"60s\"");
  line.mode = CommandLine::Mode::init;
  line.init.start = !texts.no_start;
  line.init.timeout = *timeout;
  return line;
}

/// The sub-command that was typed, or the program itself.
const CLI::App& typed_mode(const CLI::App& app) {
  const auto modes = app.get_subcommands();
  return modes.empty() ? app : *modes.back();
}

/// As people type it: those without a group are for grayd itself.
std::string spoken(const CLI::App& mode) {
  const CLI::App* program = mode.get_parent();
  if (program == nullptr) return mode.get_name();
  return program->get_name() + (mode.get_group().empty() ? "" : " " + mode.get_name());
}

/// Those that people see.
std::vector<const CLI::App*> modes_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* mode) { return !mode->get_group().empty(); });
}

std::vector<std::string> options_of(const CLI::App& mode) {
  std::vector<std::string> names;
  for (const CLI::Option* option : mode.get_options())
    if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
  return names;
}

/// With the nearest one, else with all that the sub-command has, or the sub-command that has it.
std::string unknown_option(const std::string& option, const CLI::App& app, const CLI::App& mode) {
  const auto own = options_of(mode);
  std::string hint = did_you_mean(option, {own.begin(), own.end()});
  if (hint.empty() && &mode != &app) {
    for (const std::string& name : own) hint += (hint.empty() ? "; " + spoken(mode) + " has " : ", ") + name;
  } else if (hint.empty()) {
    for (const CLI::App* other : modes_of(app))
      if (std::ranges::count(options_of(*other), option) > 0)
        hint += (hint.empty() ? ": it is one of " : ", ") + spoken(*other);
  }
  return "unknown option \"" + option + "\"" + hint;
}

/// A word where a sub-command may be: a mistyped one, "version", or a file without --config.
std::string unknown_word(const std::string& word, const CLI::App& app) {
  if (word.find_first_of("./") != word.npos)
    return "unexpected argument \"" + word + "\": a configuration is given as: grayd --config " + word;
  std::vector<std::string> names;
  for (const CLI::App* one : modes_of(app)) names.push_back(one->get_name());
  std::string hint = did_you_mean(word, {names.begin(), names.end()});
  for (const std::string& option : options_of(app))
    if (option == "--" + word) hint = ", did you mean \"" + option + "\"?";
  if (hint.empty()) hint = "; to serve: grayd --config FILE";
  return "unknown sub-command \"" + word + "\"" + hint;
}

/// CLI11 says "--config: 1 required FILE missing".
std::string missing_value(const std::string& text) {
  const std::size_t colon = text.find(": 1 required "), end = text.rfind(" missing");
  if (colon == text.npos || end == text.npos || end < colon) return text;
  const std::size_t name = colon + std::string_view(": 1 required ").size();
  return text.substr(0, colon) + " needs a value: " + text.substr(0, colon) + " " + text.substr(name, end - name);
}

/// The most frequent mistakes: a mistyped option or sub-command, and a file without --config.
std::string explained(const CLI::ParseError& error, const CLI::App& app) {
  const CLI::App& mode = typed_mode(app);
  for (const std::string& word : app.remaining(true))
    if (word.starts_with('-')) return unknown_option(word.substr(0, word.find('=')), app, mode);
  const auto left = app.remaining(true);
  if (left.empty()) return missing_value(error.what());
  return &mode == &app ? unknown_word(left.front(), app) : "unexpected argument \"" + left.front() + "\"";
}

}  // namespace

CommandLine parse_command_line(int argc, const char* const* argv) {
  CommandLine line;
  bool check = false;
  CLI::App app("Routes users to versions of a service, and starts and watches these versions.", "grayd");
  app.footer(kExamples);
  app.set_version_flag("--version", std::string("grayd ") + control::kVersion);
  app.add_option("-c,--config", line.config, "The configuration file (TOML)")->type_name("FILE");
  app.add_flag("--check", check, "Validate the configuration and exit");
  UserIds user;
  InitTexts init_texts;
  const auto* init = add_init_mode(app, line.init, init_texts);
  DoctorTexts doctor_texts;
  const auto* doctor = add_doctor_mode(app, line.doctor, doctor_texts);
  const auto* schema = add_schema_mode(app);
  const auto* demo = add_demo_mode(app, line.demo);
  const auto* demo_worker = app.add_subcommand("demo-worker", "")->group("");
  const auto* router = add_router_mode(app, line.router, user);
  const auto* guard = add_guard_mode(app, line.guard);
  const auto* resume = add_resume_mode(app, line.resume);
  const auto* check_handoff = app.add_subcommand("check-handoff", "")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    if (end.get_exit_code() != 0) return leave_with_usage(explained(end, app), spoken(typed_mode(app)));
    std::ostringstream output, unused;
    app.exit(end, output, unused);
    line.output = output.str();
    return line;
  }
  if (init->parsed()) return init_line(std::move(line), init_texts);
  if (doctor->parsed()) return doctor_line(std::move(line), doctor_texts);
  if (demo->parsed() && !line.config.empty()) return leave_with_usage("demo takes no --config: it writes its own");
  if (demo->parsed() || demo_worker->parsed()) {
    line.mode = demo->parsed() ? CommandLine::Mode::demo : CommandLine::Mode::demo_worker;
  } else if (router->parsed()) {
    line.mode = CommandLine::Mode::router;
    if (router->count("--uid") > 0) line.router.user = user;
  } else if (guard->parsed()) {
    line.mode = CommandLine::Mode::guard;
  } else if (resume->parsed()) {
    line.mode = CommandLine::Mode::resume;
    line.resume.config = line.config;
  } else if (schema->parsed()) {
    line.mode = CommandLine::Mode::schema;
  } else if (check_handoff->parsed()) {
    line.mode = CommandLine::Mode::check_handoff;
  } else if (line.config.empty()) {
    return leave_with_usage("--config FILE is missing; to write a first file for a project: grayd init");
  } else {
    line.mode = check ? CommandLine::Mode::check : CommandLine::Mode::serve;
  }
  return line;
}

}  // namespace gray::master

#include "grayd/process/command_line.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

#include "config/base/diagnostics.hpp"
#include "config/base/exit_code.hpp"
#include "control/version.hpp"

namespace gray::master {
namespace {

constexpr const char* kExamples = R"(Examples:
  grayd --config /etc/grayd/grayd.toml            serve in the foreground; SIGTERM drains and ends
  grayd --config /etc/grayd/grayd.toml --check    validate and exit: 0 valid, 8 not valid
  grayctl reload                                  apply a changed configuration, completely or not at all
  grayctl status                                  ask a running grayd
)";

CommandLine leave_with_usage(const std::string& problem) {
  CommandLine line;
  line.exit_code = static_cast<int>(ExitCode::usage);
  line.error = "grayd: " + problem + "\nTry: grayd --help\n";
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

/// The most frequent mistakes: a mistyped option, and a file without --config.
std::string explained(const CLI::ParseError& error, const CLI::App& app) {
  const auto left = app.remaining();
  for (const std::string& word : left) {
    const std::string option = word.substr(0, word.find('='));
    if (option.starts_with('-'))
      return "unknown option \"" + option + "\"" + did_you_mean(option, {"--config", "--check", "--help", "--version"});
  }
  if (left.size() != 1) return error.what();
  return "unexpected argument \"" + left.front() + "\": a configuration is given as: grayd --config " + left.front();
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
  const auto* router = add_router_mode(app, line.router, user);
  const auto* guard = add_guard_mode(app, line.guard);
  const auto* resume = add_resume_mode(app, line.resume);
  const auto* check_handoff = app.add_subcommand("check-handoff", "")->group("");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& end) {
    if (end.get_exit_code() != 0) return leave_with_usage(explained(end, app));
    std::ostringstream output, unused;
    app.exit(end, output, unused);
    line.output = output.str();
    return line;
  }
  if (router->parsed()) {
    line.mode = CommandLine::Mode::router;
    if (router->count("--uid") > 0) line.router.user = user;
  } else if (guard->parsed()) {
    line.mode = CommandLine::Mode::guard;
  } else if (resume->parsed()) {
    line.mode = CommandLine::Mode::resume;
    line.resume.config = line.config;
  } else if (check_handoff->parsed()) {
    line.mode = CommandLine::Mode::check_handoff;
  } else if (line.config.empty()) {
    return leave_with_usage("--config FILE is missing");
  } else {
    line.mode = check ? CommandLine::Mode::check : CommandLine::Mode::serve;
  }
  return line;
}

}  // namespace gray::master

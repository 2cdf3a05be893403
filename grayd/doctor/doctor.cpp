#include "grayd/doctor/doctor.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <variant>

#include "config/base/exit_code.hpp"
#include "config/settings/settings_toml.hpp"
#include "control/grayctl/client.hpp"
#include "grayd/doctor/host_facts.hpp"
#include "grayd/doctor/report.hpp"
#include "grayd/doctor/status_facts.hpp"

namespace gray::doctor {
namespace {

constexpr int kEvents = 1'000;

int give_up(ExitCode code, const std::string& text) {
  fmt::print(stderr, "grayd doctor: {}\n", text);
  return static_cast<int>(code);
}

/// Of the file that the running grayd was started with.
std::optional<Settings> settings_of(const std::string& file, Facts& facts) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    facts.unseen["config"] = file + " cannot be read";
    return std::nullopt;
  }
  auto loaded = load_settings(file);
  facts.config = ConfigFacts{file, {}, 0, 0};
  if (auto* settings = std::get_if<Settings>(&loaded)) return std::move(*settings);
  const std::string& errors = std::get<ConfigErrors>(loaded).text;
  if (errors.find("cannot be read: ") != std::string::npos && errors.starts_with(file + ": ")) {
    facts.config.reset();
    facts.unseen["config"] = file + " cannot be read as this user: run this as root";
  } else {
    facts.config->errors = errors;
  }
  return std::nullopt;
}

}  // namespace

int run_doctor(const master::DoctorArguments& arguments) {
  std::string socket = arguments.socket;
  if (!arguments.config.empty()) {
    auto loaded = load_settings(arguments.config);
    if (const auto* errors = std::get_if<ConfigErrors>(&loaded)) {
      fmt::print(stderr, "{}grayd doctor: correct the file, or name the socket of grayd: grayd doctor --socket PATH\n",
                 errors->text);
      return static_cast<int>(ExitCode::bad_config);
    }
    socket = std::get<Settings>(loaded).admin;
  }
  socket = control::find_socket(socket);
  control::Client client(socket);
  const control::Answer status = client.get("status");
  if (status.code != ExitCode::ok) return give_up(status.code, status.error);
  const control::Answer events = client.get("events", {{"count", kEvents}});
  Facts facts = facts_of(status.body, events.body);
  facts.socket = socket;
  const auto settings = settings_of(status.body.value("config_file", std::string()), facts);
  if (settings) add_settings(facts, *settings);
  look_at_host(facts, status.body.value("program", std::string()), settings ? &*settings : nullptr);
  const Checkup checkup = examine(facts);
  fmt::print("{}", arguments.json ? report_json(checkup) : report_text(facts, checkup));
  return static_cast<int>(is_fine(checkup) ? ExitCode::ok : ExitCode::failed);
}

}  // namespace gray::doctor

#include "control/grayctl/orders.hpp"

#include <fmt/format.h>

#include <istream>
#include <ostream>

#include "control/grayctl/watch.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

/// Asks only on a terminal; a script must use --yes.
bool agrees(const std::string& to, std::string_view verb, const Person& person, std::ostream& err) {
  if (!person.answers) return false;
  err << fmt::format("{}{} {} it anyway? [y/N] ", to, to.ends_with('?') ? "" : ";", verb) << std::flush;
  std::string said;
  std::getline(*person.answers, said);
  return said == "y" || said == "Y" || said == "yes";
}

Answer order(Client& client, const Command& command, const Person& person, std::ostream& err) {
  return confirmed(client, name_of(command.verb),
                   {{"service", command.service}, {"version", command.version}, {"yes", command.yes}}, person, err);
}

unsigned restart_number(const json& begun) {
  const auto restart = begun.find("restart");
  return restart != begun.end() && restart->is_object() ? restart->value("number", 0u) : 0;
}

/// The reply to the order, completed with the final state of the version.
json with_end(json begun, const json& status) {
  for (const json& service : status.at("services"))
    for (const json& version : service.at("versions"))
      if (service.at("name") == begun.at("service") && version.at("name") == begun.at("version"))
        for (const char* field : {"state", "stopped", "restart", "late_stops"})
          begun[field] = version.value(field, json());
  return begun;
}

/// "grayctl: worker web@v2#0: it did not end within ...", if workers had to be killed.
std::string killed_text(const json& ended) {
  const auto late = ended.find("late_stops");
  if (late == ended.end() || !late->is_object()) return {};
  const unsigned workers = late->value("workers", 0u);
  const auto before = workers > 1 ? fmt::format("{} workers were killed, the last one: ", workers) : std::string();
  return fmt::format("grayctl: {}{}\n", before, late->value("last", ""));
}

}  // namespace

Answer confirmed(Client& client, std::string_view verb, json args, const Person& person, std::ostream& err) {
  Answer answer = client.post(verb, args);
  const auto confirm = answer.body.find("confirm");
  if (answer.code == ExitCode::ok || confirm == answer.body.end() || !confirm->is_string()) return answer;
  if (!agrees(confirm->get<std::string>(), verb, person, err)) return answer;
  args["yes"] = true;
  return client.post(verb, args);
}

Outcome run_order(Client& client, const Command& command, const Person& person, std::ostream& err) {
  Answer begun = order(client, command, person, err);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const Awaited awaited{command.verb, command.service, command.version, restart_number(begun.body)};
  if (!command.wait)
    return {std::move(begun),
            fmt::format("{} is in progress; see: grayctl status {}\n", subject(awaited), command.service)};
  Watched watched = watch(client, awaited, {err, person, command.timeout});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  begun.body = with_end(std::move(begun.body), watched.answer.body);
  err << killed_text(begun.body);
  return {std::move(begun), watched.text + "\n"};
}

}  // namespace gray::control

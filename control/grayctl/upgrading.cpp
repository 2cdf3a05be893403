#include "control/grayctl/upgrading.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "control/grayctl/watch.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kVerdict{2'000};  // extra time after the timeout: grayd gives up by then and reports the reason

}  // namespace

Outcome run_upgrade(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = {{"of", command.part}, {"upgrade_timeout_ms", command.timeout.count()}};
  if (!command.binary.empty()) args["binary"] = std::filesystem::absolute(command.binary).lexically_normal().string();
  Answer begun = client.post("upgrade", args);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const Awaited awaited{command.verb, command.part, {}, begun.body.at("upgrade").at("number")};
  if (!command.wait)
    return {std::move(begun), fmt::format("{} is in progress; see: grayctl status\n", subject(awaited))};
  Watched watched = watch(client, awaited, {err, person, command.timeout + kVerdict});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  for (const json& one : watched.answer.body.at("upgrades"))
    if (one.at("number") == awaited.number) begun.body["upgrade"] = one;
  return {std::move(begun), watched.text + "\n"};
}

}  // namespace gray::control

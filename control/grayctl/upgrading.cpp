#include "control/grayctl/upgrading.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "control/grayctl/watch.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr Duration kVerdict{2'000};  // after the timeout: grayd has given up by then, and knows best why

}  // namespace

Outcome run_upgrade(Client& client, const Command& command, const Person& person, std::ostream& err) {
  json args = {{"of", command.part}, {"upgrade_timeout_ms", command.timeout.count()}};
  if (!command.binary.empty()) args["binary"] = std::filesystem::absolute(command.binary).lexically_normal().string();
  Answer begun = client.post("upgrade", args);
  if (begun.code != ExitCode::ok) return {std::move(begun), {}};
  const Awaited awaited{command.verb, command.part, {}, begun.body.at("upgrade").at("number")};
  if (!command.wait) return {std::move(begun), fmt::format("{} begun; see: grayctl status\n", subject(awaited))};
  Watched watched = watch(client, awaited, {err, person, command.timeout + kVerdict});
  if (watched.answer.code != ExitCode::ok) return {std::move(watched.answer), {}};
  for (const json& one : watched.answer.body.at("upgrades"))
    if (one.at("number") == awaited.number) begun.body["upgrade"] = one;
  return {std::move(begun), watched.text + "\n"};
}

}  // namespace gray::control

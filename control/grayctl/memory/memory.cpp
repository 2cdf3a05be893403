#include "control/grayctl/memory/memory.hpp"

#include <poll.h>

#include "control/grayctl/memory/memory_diff.hpp"
#include "control/grayctl/memory/memory_view.hpp"
#include "control/grayctl/memory/workers_view.hpp"

namespace gray::control {

Outcome run_memory(Client& client, const Command& command, const Terminal& terminal) {
  if (command.memory.workers) {
    Outcome of_workers{client.get(name_of(Verb::memory), {{"of", "workers"}}), {}};
    if (of_workers.answer.code == ExitCode::ok) of_workers.text = view_workers(of_workers.answer.body, terminal);
    return of_workers;
  }
  const auto ask = [&client] { return client.get(name_of(Verb::memory)); };
  Outcome outcome{ask(), {}};
  if (outcome.answer.code != ExitCode::ok) return outcome;
  if (command.memory.seconds > 0) {
    const nlohmann::json before = std::move(outcome.answer.body);
    (void)::poll(nullptr, 0, 1'000 * command.memory.seconds);
    outcome.answer = ask();
    if (outcome.answer.code != ExitCode::ok) return outcome;
    add_changes(outcome.answer.body, before, command.memory.seconds);
  }
  outcome.text = view_memory(outcome.answer.body, terminal);
  return outcome;
}

}  // namespace gray::control

#include "grayd/init/remedies.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace gray::init {

std::string ports_text(const std::vector<OpenPort>& ports) {
  std::vector<std::uint16_t> numbers;
  for (const OpenPort& port : ports)
    if (std::ranges::count(numbers, port.port) == 0) numbers.push_back(port.port);
  return fmt::format("port{} {}", numbers.size() == 1 ? "" : "s", fmt::join(numbers, ", "));
}

bool has_port(const std::vector<OpenPort>& ports, std::uint16_t port) {
  return std::ranges::count(ports, port, &OpenPort::port) > 0;
}

std::vector<OpenPort> open_to_all(const std::vector<OpenPort>& ports) {
  std::vector<OpenPort> open;
  std::ranges::copy_if(ports, std::back_inserter(open), &OpenPort::everywhere);
  return open;
}

std::string elsewhere(const std::vector<OpenPort>& ports, std::uint16_t given) {
  if (ports.empty()) return fmt::format("it listens on no port, grayd gave it {}", given);
  return fmt::format("it listens on {}, but grayd gave it {}", ports_text(ports), given);
}

std::string how_to_take_port(PortFrom from) {
  return from == PortFrom::argument ? R"(the command in the file must pass "$PORT" and "$HOST" to it)"
                                    : "let it listen on PORT and HOST of its environment, or pass them as arguments: "
                                      R"(command = ["sh", "-c", 'exec PROGRAM --port "$PORT"'])";
}

std::string everywhere(const std::vector<OpenPort>& open) {
  return fmt::format("it listens on every interface ({}), but only grayd needs it: others can reach it without grayd",
                     ports_text(open));
}

std::vector<std::string> known_mistakes(const std::string& cause, const std::vector<std::string>& last_lines,
                                        std::uint16_t given) {
  std::vector<std::string> known;
  if (cause.find("(exit 127)") != std::string::npos)
    known.emplace_back(
        "127 is the shell's code for a program that is not there: install it, or write its path in command of the "
        "file");
  const auto is_in_use = [](const std::string& line) {
    return line.find("EADDRINUSE") != line.npos || line.find("ddress already in use") != line.npos;
  };
  if (std::ranges::any_of(last_lines, is_in_use))
    known.push_back(
        fmt::format("another program has the port that it wants, which is not the one of grayd if it is "
                    "not {}: let it listen on PORT and HOST of its environment",
                    given));
  const auto says = [&](const char* words) {
    return std::ranges::any_of(last_lines, [&](const std::string& line) { return line.find(words) != line.npos; });
  };
  if (says("Missing `secret_key_base`") || says("Missing secret_key_base"))
    known.emplace_back(
        "Rails has no secret for production: put config/master.key into the folder, or SECRET_KEY_BASE into env of the "
        "version");
  return known;
}

}  // namespace gray::init

#include "control/grayctl/memory/memory_view.hpp"

#include <fmt/format.h>

#include <sstream>

#include "control/grayctl/table.hpp"
#include "control/live/figures.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

double figure(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string words(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() && !found->get_ref<const std::string&>().empty()
             ? found->get<std::string>()
             : std::string("-");
}

std::string version_of(const json& object) {
  const std::string service = words(object, "service"), version = words(object, "version");
  return service == "-" ? service : service + " " + version;
}

std::string change(double value) { return value == 0 ? "0" : fmt::format("{:+.0f}", value); }

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

std::string owners(const json& answer, const Terminal& terminal) {
  const bool compares = answer.contains("seconds");
  std::vector<Column> columns = {
      {"OWNER", 8}, {"VERSION", 7}, {"COUNT", 0, true}, {"BYTES", 0, true}, {"PEAK", 0, true}};
  if (compares) columns.insert(columns.end(), {{"COUNT+-", 0, true}, {"BYTES+-", 0, true}});
  Table table(std::move(columns), 0);
  for (const json& one : answer.at("owners")) {
    const double bytes = figure(one, "bytes"), peak = figure(one, "high_water_bytes");
    const double by = figure(one, "bytes_change"), count = figure(one, "count");
    if (bytes == 0 && peak == 0 && by == 0) continue;
    Row row = {words(one, "owner"), version_of(one), count == 0 ? "-" : fmt::format("{:.0f}", count),
               short_bytes(bytes), peak > 0 ? short_bytes(peak) : "-"};
    if (compares) {
      row.emplace_back(change(figure(one, "count_change")));
      row.emplace_back(signed_bytes(by), by > 0 ? Colour::doubtful : Colour::none);
    }
    table.add(std::move(row));
  }
  return joined(table.lines(terminal));
}

/// In the narrow column of a holder.
std::string short_owner(const json& holder) {
  const std::string owner = words(holder, "owner");
  if (owner == "client-connections") return "client";
  return owner == "upstream-connections" ? "upstream" : owner;
}

std::string largest(const json& answer, const Terminal& terminal) {
  const json& holders = answer.at("largest");
  if (holders.empty()) return {};
  std::vector<Column> columns = {{"HOLDS", 0, true}, {"KERNEL", 0, true}, {"OWNER"}, {"VERSION", 5}};
  columns.insert(columns.end(), {{"CLIENT", 9}, {"PATH", 6}, {"AGE", 0, true}, {"WAITS FOR", 16}});
  Table table(std::move(columns), 0);
  for (const json& one : holders)
    table.add({short_bytes(figure(one, "bytes")), short_bytes(figure(one, "kernel_bytes")), short_owner(one),
               version_of(one), words(one, "client"), words(one, "path"), elapsed(figure(one, "age_s")),
               words(one, "waits_for")});
  return "\n" + joined(table.lines(terminal));
}

std::string leaks(const json& answer, const Terminal& terminal) {
  const json& all = answer.at("leaks");
  if (all.empty()) return {};
  Table table({{"LEAKED", 0, true}, {"COUNT", 0, true}, {"SITE", 12}, {"HELD BY", 8}}, 0);
  for (const json& one : all)
    table.add({{short_bytes(figure(one, "bytes")), Colour::bad},
               fmt::format("{:.0f}", figure(one, "count")),
               words(one, "site"),
               words(one, "held_by")});
  return "\n" + joined(table.lines(terminal));
}

/// "accounted 5.7MiB of 6.1MiB (94 %); 12KiB more in sockets of the kernel".
std::string sum(const json& answer, const Terminal& terminal) {
  const double rss = figure(answer, "rss_bytes"), known = figure(answer, "accounted_bytes");
  std::string line = fmt::format("accounted {} of {}", short_bytes(known), short_bytes(rss));
  if (rss > 0) line += fmt::format(" ({:.0f} %)", 100 * known / rss);
  line += fmt::format("; {} more in sockets of the kernel", short_bytes(figure(answer, "kernel_bytes")));
  if (answer.contains("seconds"))
    line += fmt::format("\nin {:.0f} s: process {}, accounted {}, kernel {}", figure(answer, "seconds"),
                        signed_bytes(figure(answer, "rss_change_bytes")),
                        signed_bytes(figure(answer, "accounted_change_bytes")),
                        signed_bytes(figure(answer, "kernel_change_bytes")));
  for (const json& router : answer.at("routers"))
    if (!router.value("answered", true))
      line += fmt::format("\nrouter {:.0f} ({}) did not answer", figure(router, "pid"), words(router, "state"));
  std::istringstream lines(line);
  std::string text;
  while (std::getline(lines, line))
    for (const std::string& one : wrap(line, terminal.width)) text += one + "\n";
  return text;
}

}  // namespace

std::string view_memory(const json& answer, const Terminal& terminal) {
  return owners(answer, terminal) + sum(answer, terminal) + largest(answer, terminal) + leaks(answer, terminal);
}

}  // namespace gray::control

#include "control/grayctl/status_view.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/base/diagnostics.hpp"
#include "control/grayctl/table.hpp"
#include "control/live/figures.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

const json kNothing;
const json kNone = json::array();

const json& member(const json& object, const char* name) {
  auto found = object.find(name);
  return found == object.end() ? kNothing : *found;
}

const json& list(const json& object, const char* name) {
  const json& found = member(object, name);
  return found.is_array() ? found : kNone;
}

std::string text(const json& object, const char* name) {
  const json& found = member(object, name);
  if (found.is_string()) return found.get<std::string>();
  return found.is_null() ? "-" : found.dump();
}

double number(const json& object, const char* name) {
  const json& found = member(object, name);
  return found.is_number() ? found.get<double>() : 0;
}

std::string count(const json& object, const char* name) { return short_count(number(object, name)); }

bool is_up_worker(const json& worker) {
  std::string state = text(worker, "state");
  return state == "ready" || state == "healthy";
}

Colour colour_of_state(std::string_view state) {
  if (state == "serving" || state == "healthy" || state == "ready") return Colour::good;
  if (state == "failed" || state == "unhealthy" || state == "backoff") return Colour::bad;
  if (state == "starting" || state == "spawned" || state == "draining" || state == "stopping") return Colour::doubtful;
  return Colour::faint;
}

Cell state_cell(const json& object) {
  std::string state = text(object, "state");
  return {state, colour_of_state(state)};
}

bool is_true(const json& object, const char* name) {
  const json& found = member(object, name);
  return found.is_boolean() && found.get<bool>();
}

/// With releases the file does not name the stable version: that is not worth a mark.
bool stable_is_deployed(const json& service) {
  const json& versions = list(service, "versions");
  return std::any_of(versions.begin(), versions.end(), [&](const json& version) {
    return member(version, "name") == member(service, "stable") && is_true(version, "deployed");
  });
}

Cell weight_cell(const json& service, const json& version) {
  double weight = number(version, "weight");
  const json& configured = member(version, "configured_weight");
  const bool marked = !is_true(version, "deployed") && !stable_is_deployed(service);
  if (!marked || !configured.is_number() || configured.get<double>() == weight) return fmt::format("{:g}%", weight);
  return {fmt::format("{:g}% (file {:g}%)", weight, configured.get<double>()), Colour::doubtful};
}

Cell workers_cell(const json& version) {
  const json& workers = list(version, "workers");
  const auto up = static_cast<double>(std::count_if(workers.begin(), workers.end(), is_up_worker));
  const json& instances = member(version, "instances");
  const double wanted = instances.is_number() ? instances.get<double>() : static_cast<double>(workers.size());
  return {fmt::format("{:g}/{:g}", up, wanted), up < wanted ? Colour::bad : Colour::none};
}

/// A * marks the stable version; if the file names a different one, both are marked with their role.
Cell name_cell(const json& service, const json& version) {
  const std::string name = text(version, "name"), stable = text(service, "stable");
  if (stable_is_deployed(service)) return name + (name == stable ? "*" : "");
  const std::string configured = text(service, "configured_stable");
  if (configured == "-" || configured == stable) return name + (name == stable ? "*" : "");
  if (name == stable) return {name + "* (file: not stable)", Colour::doubtful};
  if (name == configured) return {name + " (file: stable)", Colour::doubtful};
  return name;
}

/// The comparison with stable, in words that fit the column.
Cell verdict_cell(const json& version) {
  const std::string verdict = text(version, "verdict");
  if (verdict == "ok") return {verdict, Colour::good};
  if (verdict == "worse") return {verdict, Colour::bad};
  if (verdict == "insufficient") return {"unclear", Colour::doubtful};
  return "-";
}

/// The last minute of a version: requests per second, percent of errors, the times of 50 and 99 % of the requests.
Row minute_cells(const json& version) {
  const json& minute = member(version, "last_minute");
  const double rate = number(minute, "requests_per_second"), errors = number(minute, "error_ratio");
  if (rate <= 0) return {minute.is_object() ? "0" : "-", "-", "-", "-"};
  return {short_number(rate),
          {short_number(100 * errors), errors > 0 ? Colour::bad : Colour::none},
          short_time(number(minute, "p50_ms")),
          short_time(number(minute, "p99_ms"))};
}

/// Shown only where they fit: all since the start, and what is in use now.
Row further_cells(const json& version) {
  const json& queue = member(version, "queue");
  return {count(version, "errors"), count(version, "in_flight"), count(version, "sockets"),
          queue.is_object() ? fmt::format("{}/{}", count(queue, "waiting"), count(queue, "limit")) : "-"};
}

Row version_row(const json& service, const json& version, bool wide) {
  Row row = {text(service, "name"), name_cell(service, version), weight_cell(service, version),
             state_cell(version),   workers_cell(version),       count(version, "requests")};
  auto append = [&row](const Row& cells) { row.insert(row.end(), cells.begin(), cells.end()); };
  if (wide) append(further_cells(version));
  append(minute_cells(version));
  row.push_back(verdict_cell(version));
  return row;
}

constexpr std::size_t kWide = 120;  // columns of a terminal that has room for further_cells()

std::vector<Column> version_columns(bool wide) {
  std::vector<Column> columns = {{"SERVICE", 7}, {"VERSION", 7}, {"WEIGHT", 6}, {"STATE"}, {"UP"}};
  auto add = [&columns](std::initializer_list<const char*> titles) {
    for (const char* title : titles) columns.push_back({title, 0, true});
  };
  add({"REQS"});
  if (wide) add({"ERRS", "BUSY", "SOCKS", "QUEUE"});
  add({"RPS", "ERR%", "P50", "P99"});
  columns.push_back({"VERDICT"});
  return columns;
}

Row worker_row(const json& worker) {
  return {text(worker, "id"),
          text(worker, "pid"),
          state_cell(worker),
          text(worker, "address"),
          text(worker, "ready_by"),
          count(worker, "restarts"),
          short_bytes(number(worker, "rss_bytes")),
          elapsed(number(worker, "uptime_s")),
          text(worker, "last_exit")};
}

/// Both tables, filled in the order of the status, so that the lines can be taken one by one.
struct Tables {
  explicit Tables(bool wide) : versions(version_columns(wide), 0) {}
  Table versions;
  Table workers{{{"worker", 6},
                 {"pid", 0, true},
                 {"state"},
                 {"address", 15},
                 {"by", 4},
                 {"restarts", 0, true},
                 {"rss", 0, true},
                 {"up", 0, true},
                 {"exit", 4}},
                2};
};

Tables fill(const json& status, bool wide) {
  Tables tables(wide);
  for (const json& service : list(status, "services"))
    for (const json& version : list(service, "versions")) {
      tables.versions.add(version_row(service, version, wide));
      for (const json& worker : list(version, "workers")) tables.workers.add(worker_row(worker));
    }
  return tables;
}

std::string cause_lines(const json& version, const Terminal& terminal) {
  std::string cause = text(version, "cause");
  if (cause == "-" || cause.empty()) return {};
  std::string lines;
  for (const std::string& line : wrap("cause: " + cause, terminal.width - 2))
    lines += "  " + paint(line, Colour::bad, terminal.colour) + "\n";
  return lines;
}

/// Why the version is not as good as stable, or what is missing for a verdict.
std::string why_lines(const json& version, const Terminal& terminal) {
  const std::string why = text(version, "verdict_text");
  if (why == "-" || why.empty()) return {};
  const Colour colour = verdict_cell(version).colour;
  std::string lines;
  for (const std::string& line : wrap("verdict: " + text(version, "verdict") + ": " + why, terminal.width - 2))
    lines += "  " + paint(line, colour, terminal.colour) + "\n";
  return lines;
}

/// The progress of a restart; the reason why one stopped is shown as the cause.
std::string restart_line(const json& version, const Terminal& terminal) {
  const json& restart = member(version, "restart");
  if (!restart.is_object() || text(restart, "state") != "running") return {};
  const std::string line =
      fmt::format("restart: {} of {} workers replaced", count(restart, "replaced"), count(restart, "of"));
  return "  " + paint(cut(line, terminal.width - 2), Colour::doubtful, terminal.colour) + "\n";
}

/// "12:30:05 UTC" of a time of day as in the status.
std::string clock_of(const std::string& time) { return time.size() > 19 ? time.substr(11, 8) + " UTC" : time; }

std::string former_line(const json& service, const json& version, const Terminal& terminal) {
  const json& former = member(version, "former");
  std::string line;
  if (is_true(version, "removing")) {
    line = "is being removed";
  } else if (former.is_object()) {
    const std::string until = text(former, "warm_until");
    line = "was stable" + (until == "-" ? std::string() : ", runs until " + clock_of(until));
    if (text(service, "undo_to") == text(version, "name")) line += "; grayctl undo goes back to it";
  }
  return line.empty() ? line : "  " + paint(cut(line, terminal.width - 2), Colour::faint, terminal.colour) + "\n";
}

std::string painted_lines(const std::string& text, Colour colour, const Terminal& terminal) {
  std::string lines;
  for (const std::string& line : wrap(text, terminal.width)) lines += paint(line, colour, terminal.colour) + "\n";
  return lines;
}

/// The answering processes: grayd and its routers.
std::string daemon_line(const json& status, const Terminal& terminal) {
  std::string line = fmt::format("grayd {}, pid {}, up {}", text(status, "version"), text(status, "pid"),
                                 elapsed(number(status, "uptime_s")));
  for (const json& router : list(status, "routers"))
    line +=
        fmt::format("; router pid {} {}, table {}", text(router, "pid"), text(router, "state"), text(router, "table"));
  return painted_lines(line, Colour::faint, terminal);
}

/// The progress of an upgrade.
std::string upgrade_line(const json& status, const Terminal& terminal) {
  const json& upgrades = list(status, "upgrades");
  if (upgrades.empty() || text(upgrades.back(), "state") != "running") return {};
  const json& last = upgrades.back();
  const auto of = text(last, "of");
  return painted_lines((of == "reload" ? of : "upgrade of " + of) + ": " + text(last, "text"), Colour::doubtful,
                       terminal);
}

std::string warning_lines(const json& status, const Terminal& terminal) {
  std::string lines;
  for (const json& warning : list(status, "warnings")) {
    std::string about = text(warning, "service");
    if (!about.empty()) about = " (" + about + " " + text(warning, "version") + ")";
    lines += painted_lines("warning" + about + ": " + text(warning, "text"), Colour::doubtful, terminal);
  }
  return lines;
}

/// If the file differs from the running configuration, a reload may have been forgotten.
std::string file_line(const json& status, const Terminal& terminal) {
  if (!member(status, "config_changed").is_boolean() || !member(status, "config_changed").get<bool>()) return {};
  return painted_lines(
      fmt::format("{} changed on disk since it was loaded: grayctl reload", text(status, "config_file")),
      Colour::doubtful, terminal);
}

}  // namespace

std::string view_status(const json& status, const Terminal& terminal) {
  const Tables tables = fill(status, terminal.width >= kWide);
  const std::vector<std::string> versions = tables.versions.lines(terminal);
  const std::vector<std::string> workers = tables.workers.lines(terminal);
  std::size_t next_version = 1, next_worker = 1;  // line 0 holds the titles
  std::string view = versions.front() + "\n";
  if (tables.workers.size() > 0) view += workers.front() + "\n";
  for (const json& service : list(status, "services"))
    for (const json& version : list(service, "versions")) {
      view += versions[next_version++] + "\n" + cause_lines(version, terminal) + why_lines(version, terminal) +
              restart_line(version, terminal) + former_line(service, version, terminal);
      for (std::size_t i = 0; i < list(version, "workers").size(); ++i) view += workers[next_worker++] + "\n";
    }
  return view + warning_lines(status, terminal) + file_line(status, terminal) + upgrade_line(status, terminal) +
         daemon_line(status, terminal);
}

std::map<std::string, std::string> states_of_versions(const json& status) {
  std::map<std::string, std::string> states;
  for (const json& service : list(status, "services"))
    for (const json& version : list(service, "versions")) {
      const std::string verdict = text(version, "verdict");
      states[harmless(text(service, "name") + " " + text(version, "name"))] =
          harmless(fmt::format("{:g}%, {}{}{}", number(version, "weight"), text(version, "state"),
                               text(version, "name") == text(service, "stable") ? ", stable" : "",
                               verdict == "none" || verdict == "-" ? "" : ", verdict " + verdict));
    }
  return states;
}

bool keep_only(json& status, const std::string& name, std::string& error) {
  json kept = json::array();
  std::vector<std::string> names;
  for (const json& service : status["services"]) {
    names.push_back(service.value("name", ""));
    if (names.back() == name) kept.push_back(service);
  }
  status["services"] = std::move(kept);
  error = fmt::format("there is no service \"{}\"{} (known: {})", name,
                      did_you_mean(name, {names.begin(), names.end()}), fmt::join(names, ", "));
  return !status["services"].empty();
}

}  // namespace gray::control

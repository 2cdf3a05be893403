#include "control/grayctl/top/frame.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <functional>

#include "control/grayctl/table.hpp"
#include "control/grayctl/top/sparkline.hpp"
#include "control/live/figures.hpp"

namespace gray::control {
namespace {

constexpr std::size_t kLabel = 9;       // columns of "verdict  "
constexpr std::size_t kFewestRows = 3;  // of versions, as far as the height allows

/// The columns that are left out if there is no room, the last one first.
enum class Extra : std::uint8_t { none, p50, queue, sockets, memory, verdict, state };

struct Layout {
  std::size_t bars;        // of the rates; 0: without
  Extra last;              // shown with all before it
  std::size_t least_name;  // names are cut down to this width; 0: never
  bool has(Extra extra) const { return extra <= last; }
};

/// The first one that fits is taken.
constexpr Layout kLayouts[] = {
    {60, Extra::state, 0},   {30, Extra::state, 0},    {20, Extra::state, 0},  {20, Extra::verdict, 0},
    {12, Extra::verdict, 0}, {20, Extra::memory, 0},   {12, Extra::memory, 0}, {10, Extra::memory, 0},
    {20, Extra::state, 12},  {12, Extra::verdict, 10}, {10, Extra::memory, 7}, {10, Extra::sockets, 7},
    {10, Extra::queue, 7},   {10, Extra::p50, 7},      {10, Extra::none, 7},   {6, Extra::none, 4},
    {0, Extra::none, 4},
};

std::vector<Column> columns_of(const Layout& layout) {
  std::vector<Column> columns = {{" "}, {"SERVICE", layout.least_name}, {"VERSION", layout.least_name}};
  const auto add = [&columns](bool wanted, const char* title, bool right = true) {
    if (wanted) columns.push_back({title, 0, right});
  };
  add(true, "WEIGHT");
  add(layout.has(Extra::state), "STATE", false);
  add(true, "UP");
  add(true, "RPS");
  add(true, "ERR%");
  add(layout.has(Extra::p50), "P50");
  add(true, "P99");
  add(layout.bars > 0, layout.bars < 12 ? "RPS 60s" : "RPS OF 60s", false);
  add(layout.has(Extra::sockets), "SOCKS");
  add(layout.has(Extra::queue), "QUEUE");
  add(layout.has(Extra::memory), "MEM");
  add(layout.has(Extra::verdict), "VERDICT", false);
  return columns;
}

const char* verdict_word(const VersionFigures& its) {
  if (its.verdict == "ok") return "ok";
  if (its.verdict == "worse") return "worse";
  return its.verdict == "insufficient" ? "unclear" : "-";
}

Colour verdict_colour(const VersionFigures& its) {
  if (its.verdict == "ok") return Colour::good;
  if (its.verdict == "worse") return Colour::bad;
  return its.verdict == "insufficient" ? Colour::doubtful : Colour::none;
}

bool has_times(const VersionFigures& its) { return its.minute_rate > 0; }

Row row_of_version(const VersionFigures& its, const Layout& layout, bool utf8) {
  const bool bad = !its.bad.empty();
  const Colour colour = bad ? Colour::bad : Colour::none;
  const Colour errors = its.error_ratio > 0 && !bad ? Colour::doubtful : colour;
  Row row = {{bad ? "!" : " ", colour}, {its.service, colour}, {its.name + (its.stable ? "*" : ""), colour}};
  const auto add = [&row](bool wanted, std::string text, Colour paint) {
    if (wanted) row.emplace_back(std::move(text), paint);
  };
  add(true, fmt::format("{:.4g}%", its.weight), colour);
  add(layout.has(Extra::state), its.state, colour);
  add(true, fmt::format("{}/{}", its.up, its.instances), its.up < its.instances ? Colour::bad : colour);
  add(true, short_number(its.rate), colour);
  add(true, its.rate > 0 ? short_number(100 * its.error_ratio) : "-", errors);
  add(layout.has(Extra::p50), has_times(its) ? short_time(its.p50_ms) : "-", colour);
  add(true, has_times(its) ? short_time(its.p99_ms) : "-", colour);
  add(layout.bars > 0, sparkline(its.seconds, layout.bars, utf8), colour);
  add(layout.has(Extra::sockets), short_count(static_cast<double>(its.sockets)), colour);
  add(layout.has(Extra::queue), short_count(static_cast<double>(its.waiting)), colour);
  add(layout.has(Extra::memory), short_bytes(its.memory), colour);
  add(layout.has(Extra::verdict), verdict_word(its), verdict_colour(its));
  return row;
}

/// Columns on the screen.
std::size_t columns_in(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }));
}

/// The titles and a line for each version, in the widest layout that fits.
std::vector<std::string> table_lines(const std::vector<VersionFigures>& versions, const Terminal& terminal) {
  for (const Layout& layout : kLayouts) {
    Table table(columns_of(layout), 0);
    for (const VersionFigures& its : versions) table.add(row_of_version(its, layout, terminal.utf8));
    Terminal plain = terminal;
    plain.colour = false;
    const auto lines = table.lines(plain);
    const auto fits = [&](const std::string& line) { return columns_in(line) <= terminal.width; };
    if (std::ranges::all_of(lines, fits) || &layout == std::end(kLayouts) - 1)
      return terminal.colour ? table.lines(terminal) : lines;
  }
  return {};
}

/// "verdict  web v2: ...", continued on a second line if it is long.
void add_labelled(std::vector<std::string>& lines, std::string_view label, const std::string& text, Colour colour,
                  const Terminal& terminal) {
  const std::size_t width = terminal.width - kLabel;
  const auto words = wrap(text, width);
  const auto add = [&](std::string_view before, const std::string& line) {
    lines.push_back(paint(fmt::format("{:<{}}", before, kLabel), Colour::bold, terminal.colour) +
                    paint(line, colour, terminal.colour));
  };
  add(label, words[0]);
  if (words.size() == 2) add("", words[1]);
  if (words.size() > 2) add("", cut(words[1] + " " + words[2], width));
}

std::string of_errors(double ratio) { return short_number(100 * ratio) + "%"; }

/// The figures of the canary, each with that of stable.
std::string both_figures(const VersionFigures& canary, const VersionFigures& stable) {
  if (!has_times(canary)) return "no requests in the last minute";
  return fmt::format("errors {}/{}, p50 {}/{}, p99 {}/{}", of_errors(canary.minute_error_ratio),
                     of_errors(stable.minute_error_ratio), short_time(canary.p50_ms), short_time(stable.p50_ms),
                     short_time(canary.p99_ms), short_time(stable.p99_ms));
}

const VersionFigures* version_in(const TopView& view, const std::string& service, const std::string& name) {
  const auto found = std::ranges::find_if(
      view.versions, [&](const VersionFigures& its) { return its.service == service && its.name == name; });
  return found == view.versions.end() ? nullptr : &*found;
}

void add_verdict(std::vector<std::string>& lines, const TopView& view, const ServiceFigures& service,
                 const Terminal& terminal) {
  const auto *canary = version_in(view, service.name, service.canary),
             *stable = version_in(view, service.name, service.stable);
  if (canary == nullptr || stable == nullptr || canary->verdict == "none" || canary->verdict.empty()) return;
  const Colour colour = verdict_colour(*canary);
  add_labelled(lines, "verdict",
               fmt::format("{} {} / {}: {}: {}", service.name, canary->name, stable->name, verdict_word(*canary),
                           both_figures(*canary, *stable)),
               colour, terminal);
  if (!canary->why.empty()) add_labelled(lines, "", canary->why, colour, terminal);
}

/// The time that the steps after the current one need at least; empty: it is the last, or not known.
std::string time_after_step(const RolloutFigures& rollout) {
  if (rollout.over() || rollout.step >= rollout.steps || rollout.hold_s <= 0) return {};
  const auto left = static_cast<double>(rollout.steps - rollout.step);
  return fmt::format(", then at least {}", elapsed(left * rollout.hold_s));
}

void add_rollout(std::vector<std::string>& lines, const ServiceFigures& service, const Terminal& terminal) {
  if (!service.rollout) return;
  const RolloutFigures& rollout = *service.rollout;
  const bool ended_badly = rollout.state == "aborted" || rollout.state == "failed";
  add_labelled(lines, "rollout",
               fmt::format("{} {}: {}, step {} of {} ({:.4g}%){}{}{}", service.name, rollout.version, rollout.state,
                           rollout.step, rollout.steps, rollout.weight, rollout.reason.empty() ? "" : "; ",
                           rollout.reason, time_after_step(rollout)),
               ended_badly ? Colour::doubtful : Colour::none, terminal);
}

/// What needs a look, the most important first.
std::vector<std::string> details(const TopView& view, const Controls& controls, const Terminal& terminal) {
  std::vector<std::string> lines;
  for (const VersionFigures& its : chosen_versions(view, controls))
    if (!its.bad.empty())
      add_labelled(lines, "! BAD", fmt::format("{} {}: {}", its.service, its.name, its.bad), Colour::bad, terminal);
  std::vector<std::string> backs;
  for (const ServiceFigures& service : view.services) {
    const auto shown = [&](const VersionFigures& its) { return its.service == service.name; };
    if (std::ranges::none_of(chosen_versions(view, controls), shown)) continue;
    add_verdict(lines, view, service, terminal);
    add_rollout(lines, service, terminal);
    if (const auto command = service.way_back(); !command.empty())
      add_labelled(backs, "go back", command, Colour::none, terminal);
  }
  lines.insert(lines.end(), backs.begin(), backs.end());
  if (!view.event.empty()) add_labelled(lines, "event", view.event, Colour::none, terminal);
  if (!view.line.empty()) add_labelled(lines, "stderr", view.line, Colour::none, terminal);
  return lines;
}

std::string title_line(const TopView& view, const Controls& controls, const Terminal& terminal) {
  if (!view.trouble.empty()) return paint(cut(view.trouble, terminal.width), Colour::bad, terminal.colour);
  std::string text = controls.paused ? "PAUSED (p goes on)  " : "";
  text += view.daemon;
  if (controls.sort != SortBy::service) text += fmt::format("; sorted by {}", name_of(controls.sort));
  if (!controls.filter.empty() && !controls.typing) text += fmt::format("; only \"{}\"", controls.filter);
  return paint(cut(text, terminal.width), controls.paused ? Colour::doubtful : Colour::faint, terminal.colour);
}

std::string keys_line(const Controls& controls, const Terminal& terminal) {
  if (controls.typing)
    return cut(fmt::format("/{}_  Enter: keep this filter, Esc: show all", controls.filter), terminal.width);
  return paint(cut("q quit  s/S sort  / filter  p pause  ? help", terminal.width), Colour::faint, terminal.colour);
}

std::vector<std::string> help_lines(const Terminal& terminal) {
  std::vector<std::string> lines;
  for (const std::string& line :
       wrap("! and red: bad, see below the table. RPS and ERR% are of the last 10 s, P50 and P99 of the last minute. "
            "The bars are requests per second of 60 s. s: sort by the next column, S: by the one before; / shows "
            "only versions with this text in SERVICE or VERSION; p or space: pause.",
            terminal.width))
    lines.push_back(paint(line, Colour::faint, terminal.colour));
  return lines;
}

/// The first `room` lines; if there are more, the last of them says how many are hidden, by `words`.
void shorten(std::vector<std::string>& lines, std::size_t room,
             const std::function<std::string(std::size_t shown, std::size_t hidden)>& words) {
  if (lines.size() <= room) return;
  const std::size_t shown = room == 0 ? 0 : room - 1;
  const std::size_t hidden = lines.size() - shown;
  lines.resize(shown);
  if (room > 0) lines.push_back(words(shown, hidden));
}

double sort_figure(const VersionFigures& its, SortBy sort) {
  switch (sort) {
    case SortBy::weight: return its.weight;
    case SortBy::rate: return its.rate;
    case SortBy::errors: return its.error_ratio;
    case SortBy::p50: return its.p50_ms;
    case SortBy::p99: return its.p99_ms;
    case SortBy::sockets: return static_cast<double>(its.sockets);
    case SortBy::queue: return static_cast<double>(its.waiting);
    case SortBy::memory: return its.memory;
    case SortBy::service:
    case SortBy::count: break;
  }
  return 0;
}

}  // namespace

std::vector<VersionFigures> chosen_versions(const TopView& view, const Controls& controls) {
  std::vector<VersionFigures> chosen;
  for (const VersionFigures& its : view.versions)
    if (matches(controls, its.service, its.name)) chosen.push_back(its);
  std::ranges::stable_sort(chosen, [&](const auto& a, const auto& b) {
    return sort_figure(a, controls.sort) > sort_figure(b, controls.sort);
  });
  return chosen;
}

std::vector<std::string> frame(const TopView& view, const Controls& controls, const Terminal& terminal) {
  const auto versions = chosen_versions(view, controls);
  auto rows = table_lines(versions, terminal);
  auto below = details(view, controls, terminal);
  if (controls.help) {
    const auto help = help_lines(terminal);
    below.insert(below.begin(), help.begin(), help.end());
  }
  if (versions.empty()) rows.emplace_back(view.versions.empty() ? "(no version)" : "(no version matches the filter)");
  const std::size_t height = std::max<std::size_t>(terminal.height, 4);
  const std::size_t room = height - 2;  // less the first and the last line
  if (rows.size() + below.size() > room) {
    const std::size_t for_rows = std::max(kFewestRows + 1, room / 2);  // with the titles
    const std::size_t kept =
        rows.size() <= for_rows ? rows.size() : std::max(for_rows, room - std::min(room, below.size()));
    shorten(rows, std::min(kept, room), [&](std::size_t shown, std::size_t hidden) {
      const auto first = versions.begin() + static_cast<std::ptrdiff_t>(shown == 0 ? 0 : shown - 1);
      const auto bad = std::count_if(first, versions.end(), [](const auto& its) { return !its.bad.empty(); });
      return cut(fmt::format("… {} more versions, {} of them bad; / shows fewer", hidden, bad), terminal.width);
    });
    shorten(below, room - std::min(room, rows.size()),
            [](std::size_t, std::size_t hidden) { return fmt::format("… {} more lines", hidden); });
  }
  std::vector<std::string> lines{title_line(view, controls, terminal)};
  lines.insert(lines.end(), rows.begin(), rows.end());
  lines.insert(lines.end(), below.begin(), below.end());
  if (lines.size() + 1 < height) lines.resize(height - 1);
  lines.push_back(keys_line(controls, terminal));
  return lines;
}

}  // namespace gray::control

#include "control/grayctl/memory/workers_view.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "control/grayctl/table.hpp"
#include "control/live/figures.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

constexpr std::size_t kMostColumns = 60;   // of a curve
constexpr std::size_t kLeastColumns = 10;  // likewise
constexpr std::size_t kOther = 44;         // columns of the rest of the table, about
constexpr double kLeastSpan = 0.1;         // of the highest value: a smaller change is not drawn larger

std::string slope_of(const json& version) {
  const json& slope = version.at("slope_bytes");
  return slope.is_number() ? signed_bytes(slope.get<double>()) : "-";
}

std::string age_of_oldest(const json& samples) {
  return samples.empty() ? "-" : elapsed(samples.front().at("age_s").get<double>());
}

Row row_of_worker(const json& worker, const Terminal& terminal, std::size_t columns) {
  std::vector<double> values;
  for (const json& sample : worker.at("samples")) values.push_back(sample.at("bytes").get<double>());
  values.push_back(worker.at("memory_bytes").get<double>());
  const auto [low, high] = std::ranges::minmax(values);
  const double floor = std::min(low, high * (1 - kLeastSpan));
  return {worker.at("id").get<std::string>(),
          short_bytes(values.back()),
          short_bytes(low),
          short_bytes(high),
          age_of_oldest(worker.at("samples")),
          curve_of(values, floor, high, columns, terminal.utf8)};
}

}  // namespace

std::string curve_of(const std::vector<double>& values, double low, double high, std::size_t columns, bool utf8) {
  constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array kPlain = {"_", ".", ":", "-", "=", "+", "*", "#"};
  static_assert(kBars.size() == kPlain.size());
  const std::size_t count = std::min(columns, values.size());
  std::string curve;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(i * values.size() / count);
    const auto end = values.begin() + static_cast<std::ptrdiff_t>((i + 1) * values.size() / count);
    const double part = high > low ? (*std::max_element(begin, end) - low) / (high - low) : 0;
    const auto step = static_cast<std::size_t>(std::lround(std::clamp(part, 0.0, 1.0) * (kBars.size() - 1)));
    curve += utf8 ? kBars[step] : kPlain[step];
  }
  return curve;
}

std::string view_workers(const json& answer, const Terminal& terminal) {
  const std::size_t room = terminal.width > kOther ? terminal.width - kOther : 0;
  const std::size_t columns = std::clamp(room, kLeastColumns, kMostColumns);
  Table table(
      {{"WORKER", 6}, {"NOW", 0, true}, {"LOW", 0, true}, {"HIGH", 0, true}, {"SINCE", 0, true}, {"LAST HOUR", 9}}, 0);
  std::string slopes;
  for (const json& version : answer.at("versions")) {
    for (const json& worker : version.at("workers")) table.add(row_of_worker(worker, terminal, columns));
    const std::string name = version.at("service").get<std::string>() + " " + version.at("version").get<std::string>();
    const std::string line = fmt::format("{}{}: {} per 1,000 requests to each worker", name,
                                         version.at("stable").get<bool>() ? "*" : "", slope_of(version));
    slopes += cut(line, terminal.width) + "\n";
  }
  std::string view;
  for (const std::string& line : table.lines(terminal)) view += line + "\n";
  return view + slopes;
}

}  // namespace gray::control

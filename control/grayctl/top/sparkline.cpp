#include "control/grayctl/top/sparkline.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace gray::control {
namespace {

constexpr std::array kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr std::array kAsciiBars = {"_", ".", ":", "-", "=", "+", "*", "#"};

/// Of the known rates in [from, to); -1: there is none.
double mean(const std::vector<double>& rates, std::size_t from, std::size_t to) {
  double sum = 0;
  std::size_t known = 0;
  for (std::size_t i = from; i < to; ++i) {
    if (rates[i] < 0) continue;
    sum += rates[i];
    ++known;
  }
  return known == 0 ? -1 : sum / static_cast<double>(known);
}

}  // namespace

std::string sparkline(const std::vector<double>& rates, std::size_t width, bool utf8) {
  std::vector<double> means;
  for (std::size_t i = 0; i < width; ++i) {
    const std::size_t from = i * rates.size() / width, to = (i + 1) * rates.size() / width;
    means.push_back(mean(rates, from, std::min(std::max(to, from + 1), rates.size())));
  }
  const double most = means.empty() ? 0 : *std::max_element(means.begin(), means.end());
  std::string line;
  for (const double value : means) {
    if (value < 0) {
      line += ' ';
      continue;
    }
    // The lowest bar is only for zero, so that a trickle can be told from silence.
    const double share = most > 0 ? value / most : 0;
    const auto bar = std::min(static_cast<std::size_t>(std::ceil(share * 7)), kBars.size() - 1);
    line += utf8 ? kBars[bar] : kAsciiBars[bar];
  }
  return line;
}

}  // namespace gray::control

#include "grayd/doctor/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "config/base/printable.hpp"
#include "grayd/doctor/host_checks.hpp"
#include "grayd/doctor/service_checks.hpp"
#include "grayd/doctor/worker_checks.hpp"

namespace gray::doctor {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kTextWidth = 110;

/// Words in lines of kTextWidth, of which each begins with `indent` blanks.
std::string folded(std::string text, std::size_t indent) {
  make_printable(text, '?');
  std::string out(indent, ' ');
  std::size_t column = indent;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (column > indent && column + 1 + end - at > kTextWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out.append(text, at, end - at);
    column += end - at;
    at = end + 1;
  }
  return out + "\n";
}

std::string counted(const Checkup& checkup) {
  std::size_t counts[3] = {};
  for (const Finding& finding : checkup.findings) ++counts[static_cast<int>(finding.severity)];
  return fmt::format("{} error{}, {} warning{}, {} hint{}; {} checks are fine", counts[2], counts[2] == 1 ? "" : "s",
                     counts[1], counts[1] == 1 ? "" : "s", counts[0], counts[0] == 1 ? "" : "s", checkup.passed.size());
}

Json remarks_json(const std::vector<Remark>& remarks) {
  Json all = Json::array();
  for (const Remark& remark : remarks) all.push_back({{"check", remark.check}, {"message", remark.message}});
  return all;
}

}  // namespace

Checkup examine(const Facts& facts) {
  Checkup out;
  check_workers(facts, out);
  check_services(facts, out);
  check_host(facts, out);
  std::ranges::stable_sort(out.findings, std::greater<>{}, &Finding::severity);
  return out;
}

bool is_fine(const Checkup& checkup) {
  return std::ranges::all_of(checkup.findings, [](const Finding& one) { return one.severity == Severity::hint; });
}

std::string report_text(const Facts& facts, const Checkup& checkup) {
  std::string text = fmt::format("grayd {}, pid {}, at {}\n", facts.version, facts.pid, facts.socket);
  for (const Finding& finding : checkup.findings) {
    text += fmt::format("\n{:<8} {} ({})\n", name(finding.severity), finding.subject, finding.check);
    text += folded(finding.message, 9);
    text += folded("remedy: " + finding.remedy, 9);
  }
  text += "\nfine:\n";
  for (const Remark& remark : checkup.passed)
    text += fmt::format("  {:<16} {}", remark.check, folded(remark.message, 0));
  if (!checkup.skipped.empty()) text += "not looked at:\n";
  for (const Remark& remark : checkup.skipped)
    text += fmt::format("  {:<16} {}", remark.check, folded(remark.message, 0));
  return text + counted(checkup) + "\n";
}

std::string report_json(const Checkup& checkup) {
  Json findings = Json::array();
  for (const Finding& finding : checkup.findings)
    findings.push_back({{"check", finding.check},
                        {"severity", name(finding.severity)},
                        {"subject", finding.subject},
                        {"message", finding.message},
                        {"remedy", finding.remedy}});
  const Json all = {{"schema_version", 1},
                    {"findings", std::move(findings)},
                    {"passed", remarks_json(checkup.passed)},
                    {"skipped", remarks_json(checkup.skipped)}};
  return all.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace gray::doctor

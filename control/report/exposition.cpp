#include "control/report/exposition.hpp"

#include <fmt/core.h>

namespace gray::control {

std::string label_value(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

std::string version_labels(std::string_view service, std::string_view version) {
  return fmt::format("service=\"{}\",version=\"{}\"", label_value(service), label_value(version));
}

void announce(std::string& out, std::string_view name, std::string_view type, std::string_view help) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

}  // namespace gray::control

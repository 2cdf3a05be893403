#pragma once
// The result of an examination: what was found, what is fine, and what could not be looked at.
#include <string>
#include <string_view>
#include <vector>

namespace gray::doctor {

enum class Severity {
  hint,     // could be better; does not change the exit code
  warning,  // will be trouble, or is not as configured
  error,    // users notice it, or a restart would fail
};
constexpr const char* name(Severity severity) {
  constexpr const char* names[] = {"hint", "warning", "error"};
  return names[static_cast<int>(severity)];
}

struct Finding {
  std::string check;  // short, for programs; never changes
  Severity severity = Severity::hint;
  std::string subject;  // "web@v1#0", a path, a key of the file
  std::string message;
  std::string remedy;  // a command, or a line for the file
  bool operator==(const Finding&) const = default;
};

/// A check without a finding, or one that could not be made.
struct Remark {
  std::string check, message;
  bool operator==(const Remark&) const = default;
};

struct Checkup {
  std::vector<Finding> findings;
  std::vector<Remark> passed, skipped;

  void add(std::string_view check, Severity severity, std::string subject, std::string message, std::string remedy) {
    findings.push_back({std::string(check), severity, std::move(subject), std::move(message), std::move(remedy)});
  }
  bool has(std::string_view check) const {
    for (const Finding& finding : findings)
      if (finding.check == check) return true;
    return false;
  }
  /// Unless the check has found something.
  void pass(std::string_view check, std::string message) {
    if (!has(check)) passed.push_back({std::string(check), std::move(message)});
  }
  void skip(std::string_view check, std::string why) { skipped.push_back({std::string(check), std::move(why)}); }
};

}  // namespace gray::doctor

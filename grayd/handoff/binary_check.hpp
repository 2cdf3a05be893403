#pragma once
// Checks whether a program can take over from this grayd. The program's file is opened once, so that the file that is
// run later is the file that was checked. It is asked for its handoff numbers, and to check the configuration. This
// grayd does not change. Main thread.
#include <asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>

#include "config/base/exit_code.hpp"
#include "grayd/handoff/subprocess.hpp"

namespace gray::master {

/// The result of an upgrade or of a check for one.
struct CheckEnd {
  ExitCode code = ExitCode::ok;  // failed, or timeout
  std::string text;              // not ok: one line with the phase and the reason
};

class BinaryCheck {
 public:
  static constexpr Duration kLimit{10'000};  // for each run of the program

  /// `done` is called once, never from the constructor, and must not destroy the check before it returns.
  BinaryCheck(asio::io_context& io, std::string program, std::string config, std::function<void(CheckEnd)> done,
              Duration limit = kLimit);

  /// The current phase, for people.
  std::string phase() const {
    return (asks_config_ ? "checking the configuration with " : "checking the program ") + program_;
  }
  /// The open file of the program; valid after a successful check.
  int program() const { return file_.get(); }

 private:
  std::string open();
  void ask_numbers();
  void ask_config();
  void ask(std::vector<std::string> arguments, void (BinaryCheck::*then)(const BriefEnd&));
  void on_numbers(const BriefEnd& end);
  void on_config(const BriefEnd& end);
  void refuse(std::string why, ExitCode code = ExitCode::failed);

  asio::io_context& io_;
  std::string program_, config_;
  std::function<void(CheckEnd)> done_;
  Duration limit_;
  bool asks_config_ = false;
  UniqueFd file_;
  std::optional<Subprocess> process_;
  Lifetime lifetime_;
};

}  // namespace gray::master

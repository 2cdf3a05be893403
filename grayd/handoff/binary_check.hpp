#pragma once
// Whether a program can go on where this grayd stops: it is opened once, and what was checked is what will be run. It
// is asked which state it can read, and what it thinks of the configuration. Nothing of this grayd changes. Main
// thread.
#include <asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>

#include "config/base/exit_code.hpp"
#include "grayd/handoff/subprocess.hpp"

namespace gray::master {

/// The end of something that was tried for an operator.
struct CheckEnd {
  ExitCode code = ExitCode::ok;  // failed, or timeout
  std::string text;              // not ok: one line, in which phase and why
};

class BinaryCheck {
 public:
  static constexpr Duration kLimit{10'000};  // for each question

  /// `done` is called once, never from the constructor, and must not destroy the check before it returns.
  BinaryCheck(asio::io_context& io, std::string program, std::string config, std::function<void(CheckEnd)> done,
              Duration limit = kLimit);

  /// What is asked just now, for people.
  std::string phase() const {
    return (asks_config_ ? "checking the configuration with " : "checking the program ") + program_;
  }
  /// The open file, once it was found good.
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

#include "grayd/handoff/binary_check.hpp"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <asio/post.hpp>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "config/base/units.hpp"
#include "grayd/handoff/handoff.hpp"

namespace gray::master {

BinaryCheck::BinaryCheck(asio::io_context& io, std::string program, std::string config,
                         std::function<void(CheckEnd)> done, Duration limit)
    : io_(io), program_(std::move(program)), config_(std::move(config)), done_(std::move(done)), limit_(limit) {
  asio::post(io_, lifetime_.guard([this] {
    const auto why = open();
    if (!why.empty()) return refuse(why);
    ask({"grayd", "check-handoff"}, &BinaryCheck::on_numbers);
  }));
}

std::string BinaryCheck::open() {
  struct stat facts{};
  file_.reset(::open(program_.c_str(), O_PATH | O_CLOEXEC));
  if (!file_ || ::fstat(file_.get(), &facts) != 0) return std::strerror(errno);
  if (!S_ISREG(facts.st_mode)) return S_ISDIR(facts.st_mode) ? "it is a folder" : "it is not a file";
  const auto path = fmt::format("/proc/self/fd/{}", file_.get());
  if (::faccessat(AT_FDCWD, path.c_str(), X_OK, AT_EACCESS) != 0) return "it is not executable (chmod +x)";
  return {};
}

void BinaryCheck::ask(std::vector<std::string> arguments, void (BinaryCheck::*then)(const BriefEnd&)) try {
  process_.emplace(io_, file_.get(), std::move(arguments), limit_, [this, then](const BriefEnd& end) {
    asio::post(io_, lifetime_.guard([this, then, end] {
      process_.reset();
      (this->*then)(end);
    }));
  });
} catch (const std::system_error& error) {
  refuse(error.what());
}

void BinaryCheck::on_numbers(const BriefEnd& end) {
  if (end.overdue)
    return refuse(fmt::format("it gave no answer within {}", format_duration(limit_)), ExitCode::timeout);
  if (!end.good())
    return refuse(fmt::format("its command check-handoff failed, so it cannot replace grayd: {}", end.text()));
  if (const auto why = handoff_mismatch(end.said); !why.empty()) return refuse(why);
  asks_config_ = true;
  ask({"grayd", "--check", "--config", config_}, &BinaryCheck::on_config);
}

void BinaryCheck::on_config(const BriefEnd& end) {
  if (end.overdue)
    return refuse(fmt::format("it gave no answer within {}", format_duration(limit_)), ExitCode::timeout);
  if (!end.good()) return refuse(fmt::format("it refuses {}: {}", config_, end.text()));
  done_({});
}

void BinaryCheck::refuse(std::string why, ExitCode code) { done_({code, phase() + ": " + why}); }

}  // namespace gray::master

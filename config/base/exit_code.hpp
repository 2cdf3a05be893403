#pragma once
// Exit codes of grayd and grayctl (contract 2.1). Scripts depend on the numbers.
namespace gray {

enum class ExitCode : int {
  ok = 0,
  failed = 1,
  usage = 2,
  conflict = 3,
  denied = 4,
  timeout = 5,
  aborted = 6,
  no_daemon = 7,
  bad_config = 8,
  interrupted = 130,  // Ctrl-C while grayctl was only waiting
};
constexpr ExitCode last_value(ExitCode) { return ExitCode::interrupted; }

}  // namespace gray

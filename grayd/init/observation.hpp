#pragma once
// What a trial of the first version shows, sample by sample, and when it has shown enough. Pure: the elapsed time is a
// part of the sample.
//
// A trial is over when the worker is healthy, when the version has failed (after three starts, because a server that
// cannot bind a reserved port succeeds at the second), or when the program has listened on other ports only for
// kElsewhere. A program may open a port for its own purposes before the one for requests, so one look is not enough.
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config/base/time.hpp"
#include "grayd/init/open_ports.hpp"

namespace gray::init {

constexpr Duration kElsewhere{3'000};

/// One look at grayd and at the processes of its only worker.
struct Sample {
  Duration at{0};
  pid_t pid = 0;  // 0: the worker has no process now
  std::string worker_state, version_state, address, ready_by, cause, last_exit;
  Duration uptime{0};
  std::vector<OpenPort> ports;
};
/// Of the answer of the verb status; nothing if it has no worker yet. Without ports.
std::optional<Sample> sample_of(const nlohmann::json& status, Duration at);

struct Observation {
  enum class End { running, healthy, failed, elsewhere, time_up, interrupted, no_grayd };
  End end = End::running;
  Duration took{0};
  std::uint16_t given = 0;  // the port that the program was told
  std::vector<OpenPort> ports;
  std::string ready_by;
  Duration ready_after{0};
  std::string cause, last_exit;
  std::vector<std::string> last_lines;  // of its output
  int status = 0;                       // of GET /; 0: not asked
  std::string gray_reason;              // grayd made the answer
};

/// The last kLastLines of the output of a program that was started several times; only those of its last start, if
/// every start printed the same.
constexpr std::size_t kLastLines = 10;
std::vector<std::string> last_lines_of(std::vector<std::string> lines);

class Observer {
 public:
  explicit Observer(Duration limit) : limit_(limit) {}
  void take(const Sample& sample);
  /// Without a sample: grayd does not answer yet.
  void pass(Duration at);
  bool over() const { return seen_.end != Observation::End::running; }
  Observation& seen() { return seen_; }

 private:
  void end(Observation::End how, Duration at);

  Duration limit_;
  std::optional<Duration> elsewhere_since_;
  Observation seen_;
};

}  // namespace gray::init

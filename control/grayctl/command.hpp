#pragma once
// The command line of grayctl as a value. The words are defined in grammar.hpp; here is the result of parsing them, and
// the messages for wrong ones.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/base/exit_code.hpp"
#include "config/base/time.hpp"
#include "config/base/wall_time.hpp"
#include "control/verbs/verb_table.hpp"

namespace gray::control {

struct Command {
  static constexpr Duration kTimeout{600'000};  // the default of --timeout
  static constexpr Duration kRolloutTimeout{24 * 60 * 60'000};

  Verb verb = Verb::status;
  std::string socket;   // --socket; empty: search
  std::string service;  // empty: all
  std::string version;
  double percent = 0;                      // 0..100
  std::string file;                        // of `config check`
  std::string worker;                      // of `logs`; empty: all
  bool follow = false;                     // of `events`, `logs` and `rollout status`
  int count = 100;                         // of events or lines
  std::string shell;                       // of `completion`: bash, zsh or fish
  std::string how = "errors";              // of `demo break`: what it does (config/base/demo_place.hpp)
  std::string part = "grayd";              // of `upgrade`: the part to replace, grayd or router
  std::string binary;                      // of `upgrade`: the program; empty: the one that grayd was started from
  std::map<std::string, std::string> env;  // of `deploy`
  bool rollout = false;                    // of `deploy`: by steps to all users
  std::string to;                          // of `undo`: the version; empty: the stable one before
  std::uint64_t entry = 0;                 // of `history`: the id of one change; 0: the last ones
  std::optional<WallTime> since;           // of `history`
  bool verbose = false;                    // of `history`: everything that is known of each change
  std::string state_dir;                   // of `history`: read its file; empty: ask grayd
  bool yes = false;         // of `stop`, `drain`, `shift`, `promote` and `remove`: although grayd objects
  bool wait = false;        // for the end of the operation, or until everything is up
  bool wait_asked = false;  // by --wait: `reload` waits for replaced workers, too
  Duration timeout = kTimeout;
  bool timeout_asked = false;                           // by --timeout: else a rollout is followed for kRolloutTimeout
  Duration interval{1'000};                             // of `status -w`: from one look to the next
  nlohmann::json arguments = nlohmann::json::object();  // of a verb without words of its own
  struct Why {
    std::vector<std::string> words;  // a request id, a curl command line, or with `path` a service
    std::vector<std::string> headers;
    std::string path, host, method, client;
    std::string log;          // the access log; empty: that of grayd
    std::string replay, ids;  // files: the log to decide again, and its users
  } why;
  struct Memory {
    static constexpr int kMostSeconds = 3'600;
    int seconds = 0;       // between the two moments to be compared; 0: one moment
    bool workers = false;  // of the workers, not of the router
  } memory;
  struct Top {
    static constexpr int kMostCount = 1'000'000;
    static constexpr Duration kShortest{100}, kLongest{3'600'000};
    int count = 0;                     // looks; 0: without end
    std::optional<Duration> interval;  // from one look to the next
  } top;
  struct Bucket {
    std::vector<std::string> ids;
    std::optional<double> weight;  // planned
    std::string salt;              // planned; empty: as it is
    bool list = false;             // each user of the file
  } bucket;
};

/// A command, or a text instead: help (ok) or the error in the command line (usage).
struct CommandLine {
  std::optional<Command> command;
  bool json = false;  // -o json
  ExitCode code = ExitCode::ok;
  std::string text;
};

CommandLine parse_command_line(int argc, const char* const* argv);

/// The words that may follow, as a tree, for completion.
struct VerbWords {
  std::string name;
  std::vector<std::string> options;    // "--wait", "-o"; without those of the levels above
  std::vector<std::string> valued;     // the options that take a value
  std::vector<std::string> arguments;  // "SERVICE", "VERSION"
  std::vector<VerbWords> verbs;
};
VerbWords known_words();

}  // namespace gray::control

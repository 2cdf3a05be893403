#pragma once
// The files of grayd's own that other programs may remove while grayd runs: the admin socket, the unix listeners, the
// access log. A descriptor still works after its file is gone, but nobody can reach it. Each second, a file that is
// missing is made again, and reported as an event `file-restored`; if that fails, as `file-missing`, once until it is
// there. A different file at the path is left alone.
//
// A new socket takes the number of the old descriptor, so that all who borrowed it use the new one from then on. The
// routers have copies, so they are replaced, without losing a request. Main thread.
#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <functional>
#include <set>
#include <string>

#include "config/base/time.hpp"
#include "config/shared/event_record.hpp"
#include "grayd/process/lifetime.hpp"

namespace gray::master {

class OwnFiles {
 public:
  static constexpr Duration kLook{1'000};

  /// One file: what it is for people, its path, and how it is made again; `make` throws std::runtime_error.
  struct File {
    std::string what, path;
    std::function<void()> make;
  };
  using Files = std::function<std::vector<File>()>;
  OwnFiles(asio::io_context& io, Files files, EventSink& events)
      : files_(std::move(files)), events_(events), timer_(io) {}

  /// Looks now, and again every kLook.
  void watch();

 private:
  void look(const File& file);

  Files files_;
  EventSink& events_;
  std::set<std::string> reported_;  // paths that could not be made again
  asio::steady_timer timer_;
  Lifetime lifetime_;
};

}  // namespace gray::master

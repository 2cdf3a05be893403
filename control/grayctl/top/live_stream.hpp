#pragma once
// The live feed of grayd, read by a thread of its own: the newest picture, or why there is none. When the stream ends
// it is asked for again until grayd sends it.
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>

#include "config/base/time.hpp"
#include "config/base/unique_fd.hpp"
#include "control/grayctl/client.hpp"

namespace gray::control {

class LiveStream {
 public:
  static constexpr Duration kSilence{2'000};  // after so long without a picture grayd does not answer
  static constexpr Duration kRetry{500};      // from the end of a stream to the next request

  explicit LiveStream(std::string socket);
  ~LiveStream();  // ends the request that is under way
  LiveStream(const LiveStream&) = delete;
  LiveStream& operator=(const LiveStream&) = delete;

  struct News {
    std::optional<nlohmann::json> picture;  // the newest since the last take()
    Answer failure;                         // not ok: it came after the picture
    bool any() const { return picture.has_value() || failure.code != ExitCode::ok; }
  };
  News take();
  /// Readable while there are news.
  int fd() const { return bell_.get(); }

 private:
  void run();
  bool take_bytes(std::string_view bytes, class EventStreamReader& reader);
  void tell(std::optional<nlohmann::json> picture, Answer failure);

  Client client_;
  UniqueFd bell_;
  Interrupt interrupt_;
  std::mutex mutex_;
  std::condition_variable ending_;
  News news_;
  std::thread thread_;
};

}  // namespace gray::control

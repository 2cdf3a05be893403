#pragma once
// GET /v1/live on one connection, for the APIs of both entrances: the head is answered as usual, then the connection is
// handed over to the live feed, and the thread is free again.
#include <httplib.h>

#include "control/api/live_feed.hpp"

namespace gray::control {

class LiveRequest {
 public:
  /// `feed` outlives it.
  LiveRequest(LiveFeed* feed, LiveFeed::Entrance entrance) : feed_(feed), entrance_(entrance) {}
  /// 503 if there is no place.
  void answer(const httplib::Request& request, httplib::Response& response);
  /// After the response was written. Without an effect if the request was another one. The feed gets a copy of the
  /// descriptor.
  void hand_over(int connection);

 private:
  LiveFeed* feed_;
  LiveFeed::Entrance entrance_;
  Watchers::Place place_;
};

}  // namespace gray::control

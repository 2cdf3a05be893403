#pragma once
// One accepted connection as a stream for cpp-httplib, with the bounds that the stream of the library lacks: the whole
// request is limited in time and size (the library's limit on bodies does not apply to chunked ones), the end of the
// server cuts it, and reads are buffered (the library reads heads byte by byte).
#include <httplib.h>
#include <sys/socket.h>

#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "control/api/cut_off.hpp"

namespace gray::control {

class FdStream final : public httplib::Stream {
 public:
  static constexpr Duration kRequestTime{5'000};
  static constexpr Duration kWriteTime{5'000};  // a client that reads nothing for so long is cut
  static constexpr std::size_t kBodyBytes = 1 << 20;
  static constexpr std::size_t kRequestBytes = kBodyBytes + (64 << 10);  // body and head

  struct Bounds {
    std::size_t request_bytes = kRequestBytes;
    TimePoint end = TimePoint::max();  // end of the whole connection
  };

  /// Both must outlive it; the time for the request begins now. After the cut-off it neither reads nor waits, and
  /// writes only as much as the socket takes immediately.
  FdStream(int fd, const CutOff& cut_off) : FdStream(fd, cut_off, Bounds{}) {}
  /// `received`: the first bytes of the request, which were read already.
  FdStream(int fd, const CutOff& cut_off, Bounds bounds, std::string received = {});

  /// Waits until `event` is readable or the peer is gone; false at `until`, at the end of the connection, at the
  /// cut-off.
  bool wait_for(int event, TimePoint until) const;
  /// The largest number of bytes of a request was read.
  bool full() const { return taken_ >= bounds_.request_bytes; }
  /// The peer closed or reset the connection, so it does not wait for the answer.
  bool peer_gone() const;
  /// The process that connected to the unix socket.
  std::optional<ucred> peer() const;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* into, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;  // all bytes or -1: cpp-httplib does not retry
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  /// Always 0: cpp-httplib only asks in order to refuse descriptors beyond the reach of select(), which is not used
  /// here.
  socket_t socket() const override { return 0; }

 private:
  bool fill();

  int fd_;
  const CutOff& cut_off_;
  Bounds bounds_;
  TimePoint read_until_;
  std::string buffer_;
  std::size_t begin_ = 0, end_;  // unread bytes of buffer_
  std::size_t taken_;            // bytes read from the socket so far
};

}  // namespace gray::control

#pragma once
// One accepted connection as cpp-httplib sees it, with the bounds that its own stream lacks: a request arrives whole
// within a time and a size (its limit on bodies does not hold for chunked ones), the end of the server cuts it, and
// reads are buffered (it asks for heads byte by byte).
#include <httplib.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>

#include "config/base/time.hpp"
#include "control/api/cut_off.hpp"

namespace gray::control {

class FdStream final : public httplib::Stream {
 public:
  static constexpr Duration kRequestTime{5'000};
  static constexpr Duration kWriteTime{5'000};  // a reader that stands still for so long is cut
  static constexpr std::size_t kBodyBytes = 1 << 20;
  static constexpr std::size_t kRequestBytes = kBodyBytes + (64 << 10);  // body and head

  struct Bounds {
    std::size_t request_bytes = kRequestBytes;
    TimePoint end = TimePoint::max();  // of the whole connection
  };

  /// Both outlive it; the time for the request begins now. After the cut-off nothing is read or waited for, and what is
  /// written goes out as far as the socket takes it at once.
  FdStream(int fd, const CutOff& cut_off) : FdStream(fd, cut_off, Bounds{}) {}
  FdStream(int fd, const CutOff& cut_off, Bounds bounds);

  /// Until `event` is readable or the peer has gone; false at `until`, at the end of the connection, at the cut-off.
  bool wait_for(int event, TimePoint until) const;
  /// As many bytes as a request may have were read.
  bool full() const { return taken_ >= bounds_.request_bytes; }
  /// The peer closed or broke the connection: nobody waits for the answer.
  bool peer_gone() const;
  /// The process at the other end of a unix socket, when it connected.
  std::optional<ucred> peer() const;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* into, std::size_t size) override;
  ssize_t write(const char* from, std::size_t size) override;  // all of it or -1: cpp-httplib does not ask twice
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
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // unread bytes of buffer_
  std::size_t taken_ = 0;            // bytes read from the socket so far
};

}  // namespace gray::control

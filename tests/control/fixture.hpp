#pragma once
// Shared helpers of the tests in this folder: a temporary folder, a daemon with settable answers, raw bytes on a
// socket.
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include "config/base/unique_fd.hpp"
#include "control/daemon.hpp"

namespace gray::control {

class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "control.XXXXXX").string();
    if (!::mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp");
    path_ = pattern;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

/// Answers each call immediately on the thread of the caller, by `answer`; or passes the call to `take`, if that is
/// set.
struct FakeDaemon final : Daemon {
  using Done = std::function<void(Reply)>;
  std::function<Reply(const std::string& verb, const nlohmann::json& args)> answer = [](const std::string& verb,
                                                                                        const nlohmann::json& args) {
    return Reply{.code = ExitCode::ok, .body = {{"verb", verb}, {"args", args}}, .error = {}};
  };
  std::function<void(Done)> take;
  std::atomic<int> calls{0};
  std::atomic<int> peer_pid{0};  // the caller of the last change; removed from the arguments, which tests compare
  nlohmann::json peer;           // all of it; for tests that ask one after the other

  void call(std::string verb, nlohmann::json args, Done done) override {
    ++calls;
    if (args.contains("peer")) {
      peer_pid = args["peer"].value("pid", 0);
      peer = args["peer"];
    }
    args.erase("peer");
    if (take) return take(std::move(done));
    done(answer(verb, args));
  }
};

inline Reply refused(ExitCode code, std::string error) { return {.code = code, .body = {}, .error = std::move(error)}; }

/// A connection to the unix socket at `path`; reads give up after 10 s.
inline UniqueFd connect_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  timeval timeout{10, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fd.reset();
  return fd;
}

inline void send_text(int fd, std::string_view text) {
  while (!text.empty()) {
    ssize_t n = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

inline std::string read_to_end(int fd) {
  std::string text;
  char chunk[4096];
  for (ssize_t n; (n = ::recv(fd, chunk, sizeof chunk, 0)) > 0;) text.append(chunk, static_cast<std::size_t>(n));
  return text;
}

/// All bytes received for `request` until the connection ends.
inline std::string talk(const std::string& socket, std::string_view request) {
  UniqueFd fd = connect_to(socket);
  send_text(fd.get(), request);
  return read_to_end(fd.get());
}

inline bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// The text of the exception that `act` throws; empty if it throws none.
template <typename Act>
std::string error_of(Act act) {
  try {
    act();
    return {};
  } catch (const std::exception& error) {
    return error.what();
  }
}

}  // namespace gray::control

#pragma once
// Upgrade requests of tests, and workers that accept them.
#include "tests/router/process/rig.hpp"

namespace gray::test {

inline constexpr std::string_view kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/1\r\nX-Own: yes\r\n\r\n";
inline constexpr std::string_view kSwitchWebSocket =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

inline std::string ask_for(std::string_view protocol, std::string_view fields = "") {
  std::string all = "Connection: Upgrade\r\nUpgrade: ";
  return Rig::request_for("/chat", all.append(protocol).append("\r\n").append(fields));
}

/// Answers every request with `answer`; after a 101 it sends everything back as it comes, byte by byte, until the end.
inline FakeWorker::Script upgrades(std::string answer = std::string(kSwitch)) {
  return [answer = std::move(answer)](FakeWorker::Call& call) {
    while (call.next()) {
      call.write(answer);
      if (answer.find(" 101 ") == std::string::npos) continue;
      for (std::string byte; call.read_exactly(1, byte) && call.write(byte); byte.clear()) {
      }
      return;
    }
  };
}

/// A connection on which a 101 has come.
inline Wire tunnel_to(Rig& rig, std::string_view protocol = "chat/1", int receive_buffer = 0) {
  Wire client = rig.dial(0, receive_buffer);
  client.write(ask_for(protocol));
  const Message answer = client.read_answer();
  CHECK(answer.status() == 101);
  return client;
}

inline std::string echo(Wire& client, std::string_view text) {
  client.write(text);
  std::string back;
  client.read_exactly(text.size(), back);
  return back;
}

}  // namespace gray::test

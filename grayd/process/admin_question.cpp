#include "grayd/process/admin_question.hpp"

namespace gray::master {

using nlohmann::json;

httplib::Client client_of_socket(const std::string& socket, Duration time) {
  httplib::Client client(socket, 80);  // a unix socket has no port, but the library refuses 0
  client.set_address_family(AF_UNIX);
  client.set_default_headers({{"Host", "localhost"}});
  client.set_read_timeout(time);
  return client;
}

json asked_admin(const std::string& socket, const std::string& path, Duration time) {
  const auto answer = client_of_socket(socket, time).Get(path);
  if (!answer || answer->status != 200) return {};
  return json::parse(answer->body, nullptr, false);
}

bool told_admin(const std::string& socket, const std::string& path, const json& body, Duration time) {
  const auto answer = client_of_socket(socket, time).Post(path, body.dump(), "application/json");
  return answer && answer->status == 200;
}

}  // namespace gray::master

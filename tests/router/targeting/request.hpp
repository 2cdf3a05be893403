#pragma once
// A request head like the parser's, made by hand or at random, with the texts that it consists of.
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/base/address.hpp"
#include "config/settings/targeting.hpp"
#include "router/http/message.hpp"

namespace gray::targeting {

using NamedText = std::pair<std::string, std::string>;

class MadeRequest {
 public:
  explicit MadeRequest(std::string path, const std::vector<NamedText>& fields = {}) : path_(std::move(path)) {
    head_->path = path_;
    for (const auto& [name, value] : fields) add(name, value);
  }
  void add(std::string name, std::string value) {
    http::Field& field = head_->fields.items[head_->fields.count++];
    field.name = texts_.emplace_back(std::move(name));
    field.value = texts_.emplace_back(std::move(value));
    if (http::equals_ignoring_case(field.name, "cookie")) field.id = http::Name::cookie;
  }
  const http::Request& head() const { return *head_; }

 private:
  std::string path_;
  std::deque<std::string> texts_;
  std::unique_ptr<http::Request> head_ = std::make_unique<http::Request>();
};

inline const Address kSomebody = *Address::parse("192.0.2.7:4000");

inline FieldCondition field(FieldCondition::Source source, std::string name, std::vector<std::string> values = {}) {
  return {source, std::move(name), std::move(values)};
}

inline Rule rule(std::vector<FieldCondition> fields, std::vector<std::string> paths = {},
                 const std::vector<std::string>& networks = {}, std::string version = "canary") {
  Rule made{.name = "r", .version = std::move(version), .fields = std::move(fields), .paths = std::move(paths)};
  for (const std::string& network : networks) made.clients.push_back(*Cidr::parse(network));
  return made;
}

}  // namespace gray::targeting

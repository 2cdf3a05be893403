#include "config/keys/reference_comments.hpp"

#include <algorithm>

namespace gray {
namespace {

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(' ');
  if (begin == text.npos) return {};
  return text.substr(begin, text.find_last_not_of(' ') + 1 - begin);
}

/// "[service.web.limits]" as service.*.limits: behind `service`, `version` and `tls` comes a name of the user.
std::string path_of(std::string_view header) {
  const std::size_t begin = header.find_first_not_of('['), end = header.find(']');
  std::string path;
  bool chosen = false;
  for (std::string_view rest = header.substr(begin, end - begin); !rest.empty();) {
    const std::size_t dot = std::min(rest.find('.'), rest.size());
    const std::string_view word = rest.substr(0, dot);
    path += (path.empty() ? "" : ".") + std::string(chosen ? "*" : word);
    chosen = !chosen && (word == "service" || word == "version" || word == "tls");
    rest.remove_prefix(std::min(dot + 1, rest.size()));
  }
  return path;
}

}  // namespace

std::map<std::string, std::string> reference_comments(std::string_view reference) {
  std::map<std::string, std::string> comments;
  std::string table, comment;
  bool goes_on = false;  // the line before is one of this comment
  while (!reference.empty()) {
    const std::size_t end = std::min(reference.find('\n'), reference.size());
    const std::string_view line = without_blanks(reference.substr(0, end));
    reference.remove_prefix(std::min(end + 1, reference.size()));
    if (line.starts_with('#')) {
      if (!goes_on) comment.clear();
      comment += (comment.empty() ? "" : " ") + std::string(without_blanks(line.substr(1)));
    } else if (line.empty()) {
      comment.clear();
    } else if (line.starts_with('[')) {
      table = path_of(line);
      comments.emplace(table, comment);
      comment.clear();
    } else {
      const std::string key(without_blanks(line.substr(0, line.find('='))));
      if (!comment.empty()) comments.emplace(table.empty() ? key : table + "." + key, comment);
    }
    goes_on = line.starts_with('#');
  }
  return comments;
}

}  // namespace gray

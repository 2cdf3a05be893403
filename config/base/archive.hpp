#pragma once
// How the state of a program survives its own exec: every noun names its fields once, in a member
//
//   template <class Io>
//   void archive(Io& io) { io("pid", pid_); io("pidfd", pidfd_); io("streams", streams_); }
//
// and the same list writes it (Save) and reads it (Load). What is read is checked like everything that came from
// another process: a field that is missing, of another type, out of range or unknown throws JsonMismatch, which names
// it. Monotonic times and open descriptors mean the same before and after an exec. A descriptor is written as its
// number, and Save remembers it: exactly these are to be inherited. Load takes each number once, only if it was
// announced, and makes it close-on-exec again.
//
// What needs more than its fields is made by the list, which Save ignores, and then filled by Load:
//
//   io("process", process_, [this] { return std::make_unique<Process>(owner_, kRestored); });  // optional, list
//   io("workers", workers_, [this](unsigned slot) { return make_worker(slot); });             // a map, by key
//
// Nothing needs that whose constructor takes kRestored alone. Reading is done in place, so that nothing is destroyed
// when it fails half way: whoever reads may leave all as it is, and its descriptors open. An enum says by
// last_value(Enum), found beside it, where it ends.
//
// Included only by .cpp files, and by headers of nouns for nothing: the member is a template.
#include <fcntl.h>

#include <algorithm>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <type_traits>
#include <utility>
#include <vector>

#include "config/base/address.hpp"
#include "config/base/json_fields.hpp"
#include "config/base/restored.hpp"
#include "config/base/unique_fd.hpp"

namespace gray {

namespace archive_detail {

template <class Value>
struct is_sequence : std::false_type {};
template <class Value>
struct is_sequence<std::vector<Value>> : std::true_type {};
template <class Value>
struct is_sequence<std::deque<Value>> : std::true_type {};
template <class Value>
struct is_sequence<std::list<Value>> : std::true_type {};
template <class Value>
struct is_set : std::false_type {};
template <class Value>
struct is_set<std::set<Value>> : std::true_type {};
template <class Value>
struct is_map : std::false_type {};
template <class Key, class Value>
struct is_map<std::map<Key, Value>> : std::true_type {};
template <class Value>
struct is_optional : std::false_type {};
template <class Value>
struct is_optional<std::optional<Value>> : std::true_type {};
template <class Value>
struct is_owner : std::false_type {};
template <class Value>
struct is_owner<std::unique_ptr<Value>> : std::true_type {};
template <class Value>
struct is_pair : std::false_type {};
template <class A, class B>
struct is_pair<std::pair<A, B>> : std::true_type {};
template <class Value>
struct is_duration : std::false_type {};
template <class Rep, class Period>
struct is_duration<std::chrono::duration<Rep, Period>> : std::true_type {};
template <class Value>
struct is_time_point : std::false_type {};
template <class Which, class Span>
struct is_time_point<std::chrono::time_point<Which, Span>> : std::true_type {};

/// What calculations with them may rely on, at most: a year, as everywhere in the configuration, and 146 years in
/// nanoseconds.
inline constexpr std::chrono::hours kLongest{365 * 24};
inline constexpr std::int64_t kFarthest = std::int64_t{1} << 62;

/// An empty one.
template <class Value>
Value blank() {
  if constexpr (std::is_default_constructible_v<Value>)
    return Value();
  else
    return Value(kRestored);
}

}  // namespace archive_detail

class Save {
 public:
  static constexpr bool kLoads = false;
  template <class Value>
  void operator()(const char* name, Value& value) {
    to_[name] = written(value);
  }
  template <class Value, class Make>
  void operator()(const char* name, Value& value, Make&&) {
    to_[name] = written(value);
  }
  /// One that somebody else owns, an Asio object say.
  void fd(const char* name, int number) { to_[name] = announced(number); }
  /// What is read must satisfy it.
  void check(const char*, bool) {}

  nlohmann::json take() { return std::exchange(to_, nlohmann::json::object()); }
  /// Every descriptor that was written.
  const std::set<int>& fds() const { return *fds_; }

 private:
  explicit Save(std::shared_ptr<std::set<int>> fds) : fds_(std::move(fds)) {}

  template <class Value>
  nlohmann::json written(Value& value) {
    using namespace archive_detail;
    using Plain = std::remove_const_t<Value>;
    if constexpr (std::is_enum_v<Plain>) {
      return static_cast<std::int64_t>(value);
    } else if constexpr (std::is_arithmetic_v<Plain>) {
      return value;
    } else if constexpr (std::is_same_v<Plain, std::string>) {
      return bytes_of(value);
    } else if constexpr (std::is_same_v<Plain, Address>) {
      return value.text();
    } else if constexpr (std::is_same_v<Plain, UniqueFd>) {
      return announced(value.get());
    } else if constexpr (is_duration<Plain>::value) {
      return value.count();
    } else if constexpr (is_time_point<Plain>::value) {
      return value.time_since_epoch().count();
    } else if constexpr (is_optional<Plain>::value || is_owner<Plain>::value) {
      return value ? nlohmann::json::array({written(*value)}) : nlohmann::json::array();
    } else if constexpr (is_pair<Plain>::value) {
      return nlohmann::json::array({written(value.first), written(value.second)});
    } else if constexpr (is_sequence<Plain>::value || is_set<Plain>::value || is_map<Plain>::value) {
      auto all = nlohmann::json::array();
      for (auto& one : value) all.push_back(written(one));
      return all;
    } else {
      Save inner(fds_);
      const_cast<Plain&>(value).archive(inner);
      return inner.take();
    }
  }
  nlohmann::json announced(int number) {
    if (number >= 0) fds_->insert(number);
    return number;
  }
  /// Any bytes: what a worker wrote need not be UTF-8, which JSON is. As code points below 256.
  static std::string bytes_of(const std::string& bytes) {
    std::string text;
    for (const char one : bytes) {
      const auto byte = static_cast<unsigned char>(one);
      if (byte < 0x80) {
        text.push_back(one);
      } else {
        text.push_back(static_cast<char>(0xC0 | byte >> 6));
        text.push_back(static_cast<char>(0x80 | (byte & 0x3F)));
      }
    }
    return text;
  }

  nlohmann::json to_ = nlohmann::json::object();
  std::shared_ptr<std::set<int>> fds_;

 public:
  Save() : Save(std::make_shared<std::set<int>>()) {}
};

class Load {
 public:
  static constexpr bool kLoads = true;
  /// `fds`: those that may be taken. `from` outlives the object.
  Load(const nlohmann::json& from, std::set<int> fds) : Load(from, std::make_shared<std::set<int>>(std::move(fds))) {}

  template <class Value>
  void operator()(const char* name, Value& value) {
    read(field(name), name, value);
  }
  template <class Value, class Make>
  void operator()(const char* name, Value& value, Make&& make) {
    fill(field(name), name, value, make);
  }
  /// Taken by whoever calls: -1 if it was closed.
  int fd(const char* name) { return taken(field(name), name).release(); }
  /// What the fields of a noun must satisfy together; `name`: the one to be blamed.
  void check(const char* name, bool good) const {
    if (!good) mismatch(name);
  }

  /// Announced and not taken so far; when all is read, it should be empty.
  const std::set<int>& left() const { return *fds_; }

 private:
  Load(const nlohmann::json& from, std::shared_ptr<std::set<int>> fds) : from_(from), fds_(std::move(fds)) {}

  [[noreturn]] static void mismatch(const char* name) {
    throw JsonMismatch(std::string("\"") + name + "\" is not what it should be");
  }

  const nlohmann::json& field(const char* name) {
    ++fields_;
    return json_field(from_, name);
  }

  template <class Number>
  static Number number(const nlohmann::json& from, const char* name) {
    if constexpr (std::is_same_v<Number, bool>) {
      if (!from.is_boolean()) mismatch(name);
      return from.get<bool>();
    } else if constexpr (std::is_floating_point_v<Number>) {
      if (!from.is_number()) mismatch(name);
      return from.get<Number>();
    } else {
      if (!from.is_number_integer()) mismatch(name);
      const bool fits = from.is_number_unsigned() ? std::in_range<Number>(from.get<std::uint64_t>())
                                                  : std::in_range<Number>(from.get<std::int64_t>());
      if (!fits) mismatch(name);
      return from.get<Number>();
    }
  }

  template <class Enum>
  static Enum enumerator(const nlohmann::json& from, const char* name) {
    using Number = std::underlying_type_t<Enum>;
    const Number value = number<Number>(from, name);
    if (std::cmp_less(value, 0) || value > static_cast<Number>(last_value(Enum{}))) mismatch(name);
    return static_cast<Enum>(value);
  }

  template <class Span>
  static Span duration(const nlohmann::json& from, const char* name) {
    const auto count = number<typename Span::rep>(from, name);
    const auto most = std::chrono::duration_cast<Span>(archive_detail::kLongest).count();
    if (count > most || count < -most) mismatch(name);
    return Span(count);
  }

  template <class Point>
  static Point time_point(const nlohmann::json& from, const char* name) {
    const auto count = number<typename Point::rep>(from, name);
    if (count > archive_detail::kFarthest || count < -archive_detail::kFarthest) mismatch(name);
    return Point(typename Point::duration(count));
  }

  template <class Value>
  void read(const nlohmann::json& from, const char* name, Value& value) {
    using namespace archive_detail;
    if constexpr (std::is_enum_v<Value>) {
      value = enumerator<Value>(from, name);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      value = number<Value>(from, name);
    } else if constexpr (std::is_same_v<Value, std::string>) {
      value = bytes_from(from, name);
    } else if constexpr (std::is_same_v<Value, Address>) {
      value = json_parsed<Address>(from);
    } else if constexpr (std::is_same_v<Value, UniqueFd>) {
      value = taken(from, name);
    } else if constexpr (is_duration<Value>::value) {
      value = duration<Value>(from, name);
    } else if constexpr (is_time_point<Value>::value) {
      value = time_point<Value>(from, name);
    } else if constexpr (is_pair<Value>::value) {
      elements(from, name, 2);
      read(from[0], name, value.first);
      read(from[1], name, value.second);
    } else if constexpr (is_owner<Value>::value) {  // within a container: made, and never null
      elements(from, name, 1);
      read(from[0], name, *value);
    } else if constexpr (is_set<Value>::value) {
      if (!from.is_array()) mismatch(name);
      value.clear();
      for (const auto& json : from) {
        typename Value::value_type one;
        read(json, name, one);
        if (!value.insert(std::move(one)).second) mismatch(name);
      }
    } else if constexpr (is_map<Value>::value) {
      fill(from, name, value, [](const auto&) { return blank<typename Value::mapped_type>(); });
    } else if constexpr (is_optional<Value>::value || is_sequence<Value>::value) {
      fill(from, name, value, blank<typename Value::value_type>);
    } else {
      if (!from.is_object()) mismatch(name);
      Load inner(from, fds_);
      value.archive(inner);
      // Whoever wrote it knew more: it cannot be thrown away unseen.
      if (inner.fields_ != from.size())
        throw JsonMismatch(std::string("\"") + name + "\" holds what is not known here");
    }
  }

  template <class Value, class Make>
  void fill(const nlohmann::json& from, const char* name, Value& value, Make&& make) {
    using namespace archive_detail;
    if (!from.is_array()) mismatch(name);
    if constexpr (is_map<Value>::value) {
      value.clear();
      for (const auto& one : from) {
        elements(one, name, 2);
        typename Value::key_type key;
        read(one[0], name, key);
        const auto [place, fresh] = value.emplace(key, make(key));
        if (!fresh) mismatch(name);
        read(one[1], name, place->second);
      }
    } else if constexpr (is_sequence<Value>::value) {
      value.clear();
      for (const auto& one : from) {
        value.push_back(make());
        read(one, name, value.back());
      }
    } else {  // one or none
      value.reset();
      if (from.empty()) return;
      elements(from, name, 1);
      value = make();
      read(from[0], name, *value);
    }
  }

  static void elements(const nlohmann::json& from, const char* name, std::size_t count) {
    if (!from.is_array() || from.size() != count) mismatch(name);
  }

  UniqueFd taken(const nlohmann::json& from, const char* name) {
    const int fd = number<int>(from, name);
    if (fd < 0) return {};
    if (fds_->erase(fd) == 0 || ::fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
      throw JsonMismatch(std::string("\"") + name + "\" names descriptor " + std::to_string(fd) +
                         ", which was not handed over");
    return UniqueFd(fd);
  }

  static std::string bytes_from(const nlohmann::json& from, const char* name) {
    if (!from.is_string()) mismatch(name);
    const auto& text = from.get_ref<const std::string&>();
    std::string bytes;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto first = static_cast<unsigned char>(text[i]);
      if (first < 0x80) {
        bytes.push_back(text[i]);
        continue;
      }
      if ((first & 0xFC) != 0xC0 || i + 1 == text.size()) mismatch(name);
      bytes.push_back(static_cast<char>((first & 0x03) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3F)));
    }
    return bytes;
  }

  const nlohmann::json& from_;
  std::size_t fields_ = 0;  // read so far
  std::shared_ptr<std::set<int>> fds_;
};

}  // namespace gray

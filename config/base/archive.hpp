#pragma once
// How the state of a program survives its own exec: every class lists its fields once, in a member
//
//   template <class Io>
//   void archive(Io& io) { io("pid", pid_); io("pidfd", pidfd_); io("streams", streams_); }
//
// and the same list writes it (Save) and reads it (Load). Input is checked like all input from other processes: a field
// that is missing, of a different type, out of range or unknown throws JsonMismatch, which names the field. Monotonic
// times and open descriptors mean the same before and after an exec. A descriptor is written as its number, and Save
// remembers it: exactly these descriptors are to be inherited. Load takes each number once, only if it was announced,
// and makes it close-on-exec again.
//
// The same lists write and read other JSON: routing tables, channel messages and the state file. A type with
// text() and parse() is written as text, an enum with name_of() by its name, a map with text keys as an object.
// Load::lenient() reads text that a different version of grayd may have written: a missing field keeps its default, an
// unknown one is ignored.
//
// A member whose constructor needs arguments is made by a function in the list, which Save ignores; Load then fills it:
//
//   io("process", process_, [this] { return std::make_unique<Process>(owner_, kRestored); });  // optional, list
//   io("workers", workers_, [this](unsigned slot) { return make_worker(slot); });             // a map, by key
//
// A class whose constructor takes only kRestored does not need such a function. Objects are read in place, so that
// nothing is destroyed when reading fails half way: the caller may then leave everything as it is, with its descriptors
// open. The function last_value(Enum), declared beside an enum, gives its last value.
//
// Included only by .cpp files. The headers of archived classes do not need it, because the member is a template.
#include <fcntl.h>

#include <memory>
#include <set>
#include <utility>

#include "config/base/archive_shape.hpp"
#include "config/base/archive_types.hpp"
#include "config/base/json_fields.hpp"
#include "config/base/unique_fd.hpp"

namespace gray {

class Save {
 public:
  static constexpr bool kLoads = false;
  template <class Value>
  void operator()(const char* name, Value& value) {
    using Plain = std::remove_const_t<Value>;
    to_[name] = shape_ ? archive_detail::shape_of(*this, const_cast<Plain&>(value)) : written(value);
  }
  template <class Value, class Make>
  void operator()(const char* name, Value& value, Make&& make) {
    to_[name] = shape_ ? archive_detail::shape_with(*this, value, make) : written(value);
  }
  /// A descriptor with a different owner, such as an Asio object.
  void fd(const char* name, int number) { to_[name] = shape_ ? nlohmann::json("descriptor") : announced(number); }
  /// See Load.
  void check(const char*, bool, const char* = "") {}

  nlohmann::json take() { return std::exchange(to_, nlohmann::json::object()); }
  /// Every descriptor that was written.
  const std::set<int>& fds() const { return *fds_; }

  /// The names and types of the fields that would be written for a value (config/base/archive_shape.hpp).
  template <class Value>
  static nlohmann::json shape_of(Value& value) {
    return archive_detail::shape_of(shaping(), value);
  }
  template <class Noun>
  nlohmann::json shape_of_noun(Noun& noun) const {
    Save inner = shaping();
    noun.archive(inner);
    return inner.take();
  }

 private:
  explicit Save(std::shared_ptr<std::set<int>> fds) : fds_(std::move(fds)) {}
  static Save shaping() {
    Save save;
    save.shape_ = true;
    return save;
  }

  template <class Value>
  nlohmann::json written(Value& value) {
    using namespace archive_detail;
    using Plain = std::remove_const_t<Value>;
    if constexpr (Named<Plain>) {
      return std::string(name_of(value));
    } else if constexpr (std::is_enum_v<Plain>) {
      return static_cast<std::int64_t>(value);
    } else if constexpr (std::is_arithmetic_v<Plain>) {
      return value;
    } else if constexpr (std::is_same_v<Plain, std::string>) {
      return bytes_of(value);
    } else if constexpr (Textual<Plain>) {
      return bytes_of(value.text());
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
    } else if constexpr (is_text_map<Plain>::value) {
      auto all = nlohmann::json::object();
      for (auto& [key, one] : value) all[bytes_of(key)] = written(one);
      return all;
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
  /// Any bytes, written as code points below 256: the output of a worker need not be UTF-8, but JSON must be.
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
  bool shape_ = false;

 public:
  Save() : Save(std::make_shared<std::set<int>>()) {}
};

class Load {
 public:
  static constexpr bool kLoads = true;
  /// `fds`: the descriptors that may be taken. `from` must outlive the object.
  Load(const nlohmann::json& from, std::set<int> fds) : Load(from, std::make_shared<std::set<int>>(std::move(fds))) {}
  /// Without descriptors.
  explicit Load(const nlohmann::json& from) : Load(from, std::set<int>{}) {}
  static Load lenient(const nlohmann::json& from) {
    Load load(from);
    load.strict_ = false;
    return load;
  }

  template <class Value>
  void operator()(const char* name, Value& value) {
    if (const auto* found = field(name)) read(*found, name, value);
  }
  template <class Value, class Make>
  void operator()(const char* name, Value& value, Make&& make) {
    if (const auto* found = field(name)) fill(*found, name, value, make);
  }
  /// The caller becomes its owner: -1 if it was closed.
  int fd(const char* name) {
    const auto* found = field(name);
    return found == nullptr ? -1 : taken(*found, name).release();
  }
  /// A condition on a value, or on several fields of a class; `name`: the field that is wrong; `wanted`: what it must
  /// be, such as "a number from 0 to 100".
  void check(const char* name, bool good, const char* wanted = "") const {
    if (!good) mismatch(name, wanted);
  }

  /// The writer knew more fields than this program: they must not be lost silently.
  void check_unknown(const char* name) const {
    if (strict_ && fields_ != from_.size())
      throw JsonMismatch(std::string("\"") + name + "\" has a field that is not known here");
  }
  /// Announced, but not taken so far; should be empty when everything has been read.
  const std::set<int>& left() const { return *fds_; }

 private:
  Load(const nlohmann::json& from, std::shared_ptr<std::set<int>> fds) : from_(from), fds_(std::move(fds)) {}

  [[noreturn]] static void mismatch(const char* name, const char* wanted = "") {
    throw JsonMismatch(std::string("\"") + name + "\" is " + (*wanted == 0 ? "not valid" : "not ") + wanted);
  }

  /// Null: the field is absent, which is allowed.
  const nlohmann::json* field(const char* name) {
    const auto found = from_.find(name);
    if (found == from_.end() && strict_) throw JsonMismatch(std::string("\"") + name + "\" is missing");
    if (found == from_.end()) return nullptr;
    ++fields_;
    return &*found;
  }

  template <class Number>
  static Number number(const nlohmann::json& from, const char* name) {
    if constexpr (std::is_same_v<Number, bool>) {
      if (!from.is_boolean()) mismatch(name, "true or false");
      return from.get<bool>();
    } else if constexpr (std::is_floating_point_v<Number>) {
      if (!from.is_number()) mismatch(name, "a number");
      return from.get<Number>();
    } else {
      if (!from.is_number_integer()) mismatch(name, "a whole number");
      const bool fits = from.is_number_unsigned() ? std::in_range<Number>(from.get<std::uint64_t>())
                                                  : std::in_range<Number>(from.get<std::int64_t>());
      if (!fits) mismatch(name, "a number in range");
      return from.get<Number>();
    }
  }

  template <archive_detail::Named Enum>
  static Enum named(const nlohmann::json& from, const char* name) {
    if (!from.is_string()) mismatch(name, "text");
    using Number = std::underlying_type_t<Enum>;
    for (Number value = 0; value <= static_cast<Number>(last_value(Enum{})); ++value)
      if (name_of(static_cast<Enum>(value)) == from.get_ref<const std::string&>()) return static_cast<Enum>(value);
    mismatch(name, "a known name");
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
    if (count < 0 || count > most) mismatch(name, "a duration of at most a year");
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
    if constexpr (Named<Value>) {
      value = named<Value>(from, name);
    } else if constexpr (std::is_enum_v<Value>) {
      value = enumerator<Value>(from, name);
    } else if constexpr (std::is_arithmetic_v<Value>) {
      value = number<Value>(from, name);
    } else if constexpr (std::is_same_v<Value, std::string>) {
      value = bytes_from(from, name);
    } else if constexpr (Textual<Value>) {
      const auto parsed = Value::parse(bytes_from(from, name));
      if (!parsed) mismatch(name, "understood");
      value = *parsed;
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
    } else if constexpr (is_owner<Value>::value) {  // in a container: always made, never null
      elements(from, name, 1);
      read(from[0], name, *value);
    } else if constexpr (is_set<Value>::value) {
      if (!from.is_array()) mismatch(name, "a list");
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
      if (!from.is_object()) mismatch(name, "an object");
      Load inner(from, fds_);
      inner.strict_ = strict_;
      value.archive(inner);
      inner.check_unknown(name);
    }
  }

  template <class Value, class Make>
  void fill(const nlohmann::json& from, const char* name, Value& value, Make&& make) {
    using namespace archive_detail;
    if constexpr (is_text_map<Value>::value) {
      if (!from.is_object()) mismatch(name, "an object");
      value.clear();
      for (const auto& [text, one] : from.items()) {
        const auto key = bytes_from(text, name);
        read(one, name, value.emplace(key, make(key)).first->second);
      }
      return;
    }
    if (!from.is_array()) mismatch(name, "a list");
    if constexpr (is_text_map<Value>::value) {
    } else if constexpr (is_map<Value>::value) {
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
    if (!from.is_string()) mismatch(name, "text");
    return bytes_from(from.get_ref<const std::string&>(), name);
  }

  static std::string bytes_from(const std::string& text, const char* name) {
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
  bool strict_ = true;
  std::shared_ptr<std::set<int>> fds_;
};

/// `noun` as JSON text, and back; classes with descriptors must use Save and Load directly. Never throws.
template <class Noun>
std::string archived_text(const Noun& noun) {
  Save save;
  const_cast<Noun&>(noun).archive(save);
  return json_dump(save.take());
}
/// Throws JsonMismatch or nlohmann::json::exception.
template <class Noun>
Noun unarchived(std::string_view text) {
  const auto json = nlohmann::json::parse(text);
  if (!json.is_object()) throw JsonMismatch("it is not a JSON object");
  Noun noun;
  Load load(json);
  noun.archive(load);
  load.check_unknown("it");
  return noun;
}

}  // namespace gray

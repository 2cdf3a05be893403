// Model: a ring in memory and a queue to the writer, both under one mutex that is never held during a system call; only
// the writer uses the files.
// Invariants
//  - Numbers rise by one in the order of add(), in the ring, in the queue and on disk; on disk some may be missing.
//  - Every line on disk begins at the start of a line: after a partial write, the next one begins with a line end.
#include "control/state/event_log.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <fstream>
#include <mutex>
#include <thread>

#include "config/base/archive.hpp"
#include "config/base/unique_fd.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

using nlohmann::json;

std::string line_of(const EventRecord& event) {
  return to_json(event).dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

void cut(std::string& text) {
  if (text.size() > EventLog::kText) text = text.substr(0, EventLog::kText - 3) + "...";
}

/// The current file and the previous one. A file that was moved or removed by others is opened again.
class EventFile {
 public:
  EventFile(std::string path, std::size_t most) : path_(std::move(path)), most_(most) {}

  /// Empty, or why the line could not be written.
  std::string append(std::string_view line) {
    if (!open() || (size_ + line.size() > most_ && !rotate()) || !write(line)) {
      const std::string why = std::strerror(errno);
      fd_.reset();  // whatever the error is, the next write checks the path again
      return why;
    }
    return {};
  }

 private:
  bool open() {
    struct stat mine{}, there{};
    const bool known = fd_ && ::fstat(fd_.get(), &mine) == 0 && ::lstat(path_.c_str(), &there) == 0;
    if (known && mine.st_dev == there.st_dev && mine.st_ino == there.st_ino) return true;
    struct stat facts{};
    fd_.reset(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd_ || ::fstat(fd_.get(), &facts) != 0) return false;
    size_ = static_cast<std::size_t>(facts.st_size);
    char last = '\n';
    if (size_ > 0) (void)!::pread(fd_.get(), &last, 1, facts.st_size - 1);
    mid_line_ = last != '\n';
    return true;
  }

  bool rotate() {
    if (size_ == 0) return true;
    if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return false;
    fd_.reset();
    return open();
  }

  bool write(std::string_view line) {
    if (mid_line_ && !write_some("\n")) return false;
    while (!line.empty()) {
      const ssize_t written = write_some(line);
      if (written <= 0) return false;
      line.remove_prefix(static_cast<std::size_t>(written));
      mid_line_ = !line.empty();
    }
    return true;
  }

  /// The number of bytes written; 0: none, and errno has the reason.
  ssize_t write_some(std::string_view text) {
    const ssize_t written = ::write(fd_.get(), text.data(), text.size());
    if (written <= 0) return 0;
    size_ += static_cast<std::size_t>(written);
    return written;
  }

  std::string path_;
  std::size_t most_;
  UniqueFd fd_;
  std::size_t size_ = 0;
  bool mid_line_ = false;
};

}  // namespace

struct EventLog::Impl {
  Impl(const std::string& dir, std::size_t file_bytes) : path(dir + "/events.log"), file(path, file_bytes) {
    read(path + ".1", 2 * file_bytes);
    read(path, 2 * file_bytes);
    writer = quiet_thread([this] { run(); });
  }

  ~Impl() {
    {
      std::lock_guard guard(mutex);
      ending = true;
    }
    changed.notify_one();
    writer.join();
  }

  /// The last `most` bytes of a file: the start is quick, whatever size the file has.
  void read(const std::string& from, std::size_t most) {
    std::ifstream in(from, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::streamoff>(in.tellg());
    in.seekg(std::max<std::streamoff>(0, size - static_cast<std::streamoff>(most)));
    for (std::string line; std::getline(in, line);) {
      auto event = event_from_json(json::parse(line, nullptr, false));
      if (!event || event->sequence <= last) continue;
      last = event->sequence;
      keep(std::move(*event));
    }
  }

  void keep(EventRecord event) {
    if (kept.size() == kKept) kept.pop_front();
    kept.push_back(std::move(event));
  }

  /// Call these three under the mutex.
  void add(EventRecord event) {
    event.sequence = ++last;
    event.time = wall_now();
    cut(event.text);
    cut(event.cause);
    keep(event);
    if (queue.size() < kQueued)
      queue.push_back(std::move(event));
    else
      lose("the disk is blocked");
  }

  void lose(std::string why) {
    ++lost;
    ++dropped;
    trouble = std::move(why);
  }

  void announce_loss() {
    EventRecord notice;
    notice.kind = EventKind::events_lost;
    notice.cause = trouble;
    notice.text = fmt::format("{} event{} missing in {}: {}", lost, lost == 1 ? " is" : "s are", path, trouble);
    lost = 0;
    add(std::move(notice));
  }

  void run() {
    std::unique_lock guard(mutex);
    for (;;) {
      changed.wait(guard, [this] { return ending || !queue.empty(); });
      if (queue.empty()) return;
      const EventRecord event = std::move(queue.front());
      queue.pop_front();
      writing = true;
      guard.unlock();
      std::string why = file.append(line_of(event));
      guard.lock();
      writing = false;
      if (!why.empty())
        lose(std::move(why));
      else if (lost > 0)
        announce_loss();
      if (queue.empty()) rests.notify_all();
    }
  }

  std::string path;
  EventFile file;  // used only by the writer, once it runs
  mutable std::mutex mutex;
  std::condition_variable changed, rests;
  std::deque<EventRecord> kept, queue;
  bool writing = false;       // an event that is already removed from `queue`
  std::uint64_t last = 0;     // number of the newest event
  std::uint64_t dropped = 0;  // since the start
  std::uint64_t lost = 0;     // of these, not yet reported
  std::string trouble;        // why the last one was lost
  bool ending = false;
  std::thread writer;
};

EventLog::EventLog(const std::string& dir, std::size_t file_bytes) : impl_(std::make_unique<Impl>(dir, file_bytes)) {}
EventLog::~EventLog() = default;

void EventLog::settle(Duration limit) {
  std::unique_lock guard(impl_->mutex);
  impl_->rests.wait_for(guard, limit, [this] { return impl_->queue.empty() && !impl_->writing; });
}

template <class Io>
void EventLog::archive(Io& io) {
  {
    std::lock_guard guard(impl_->mutex);
    io("kept", impl_->kept);
    io("queue", impl_->queue);
    io("last", impl_->last);
    io("dropped", impl_->dropped);
    io("lost", impl_->lost);
    io("trouble", impl_->trouble);
  }
  impl_->changed.notify_one();
}
template void EventLog::archive(Save&);
template void EventLog::archive(Load&);

void EventLog::add(EventRecord event) {
  {
    std::lock_guard guard(impl_->mutex);
    impl_->add(std::move(event));
  }
  impl_->changed.notify_one();
}

std::vector<EventRecord> EventLog::after(std::uint64_t sequence) const {
  std::lock_guard guard(impl_->mutex);
  const auto first = std::ranges::find_if(impl_->kept, [&](const auto& event) { return event.sequence > sequence; });
  return {first, impl_->kept.end()};
}

std::uint64_t EventLog::last() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->last;
}

std::uint64_t EventLog::oldest() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->kept.empty() ? impl_->last + 1 : impl_->kept.front().sequence;
}

std::uint64_t EventLog::dropped() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->dropped;
}

}  // namespace gray::control

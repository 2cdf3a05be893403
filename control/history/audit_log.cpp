// Model: a queue under a mutex that is never held during a system call; only the writer uses the database.
// Invariants
//  - A change stays in the queue until its transaction is committed, so a failure, an exec or a signal loses none that
//    is archived. (time, ordinal) identifies it, so writing it twice keeps it once.
//  - After any failure the database is closed, and opened again for the next try.
//  - One event for each time of trouble, and one for the changes that were lost in it.
#include "control/history/audit_log.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "config/base/archive.hpp"
#include "control/history/audit_table.hpp"
#include "control/history/database.hpp"
#include "control/state/quiet_thread.hpp"

namespace gray::control {
namespace {

constexpr int kMostDamaged = 9;  // names for files that were moved aside

void cut(std::string& text) {
  if (text.size() > AuditLog::kText) text = text.substr(0, AuditLog::kText - 3) + "...";
}

/// The new name of the file with those of SQLite beside it; empty: errno has the reason.
std::string moved_aside(const std::string& path) {
  for (int i = 1; i <= kMostDamaged; ++i) {
    auto to = path + ".damaged" + (i == 1 ? "" : fmt::format(".{}", i));
    if (::rename(path.c_str(), to.c_str()) != 0) {
      if (errno == ENOTDIR || errno == EISDIR || errno == ENOTEMPTY || errno == EEXIST) continue;
      return {};
    }
    for (const char* beside : {"-wal", "-shm"}) (void)!::rename((path + beside).c_str(), (to + beside).c_str());
    return to;
  }
  return {};
}

/// The file, opened when it is needed.
class AuditFile {
 public:
  AuditFile(std::string path, AuditLog::Report report) : path_(std::move(path)), report_(std::move(report)) {}

  /// Throws DatabaseError if the file cannot be used, and no new one can be begun.
  Database& open() {
    struct stat now{};
    const bool there = ::stat(path_.c_str(), &now) == 0;
    if (database_ && there && now.st_dev == opened_.st_dev && now.st_ino == opened_.st_ino) return *database_;
    database_.reset();
    try {
      database_.emplace(open_audit_table(path_));
    } catch (const DatabaseError& error) {
      if (error.kind() != DatabaseError::Kind::damaged) throw;
      begin_anew(error.what());
    }
    if (::stat(path_.c_str(), &opened_) != 0) opened_ = {};
    return *database_;
  }
  void close() { database_.reset(); }
  /// Moves the file aside.
  void begin_anew(const std::string& why) {
    database_.reset();
    const auto aside = moved_aside(path_);
    if (aside.empty())
      throw DatabaseError(DatabaseError::Kind::trouble,
                          fmt::format("{}, and it cannot be moved aside: {}", why, std::strerror(errno)));
    report_({.kind = EventKind::history_failed,
             .cause = "damaged",
             .text = fmt::format("{} cannot be used ({}); moved to {}; a new history begins", path_, why, aside)});
    database_.emplace(open_audit_table(path_));
  }

 private:
  std::string path_;
  AuditLog::Report report_;
  std::optional<Database> database_;
  struct stat opened_{};  // the file of `database_`
};

}  // namespace

struct AuditLog::Impl {
  Impl(const std::string& state_dir, Report its_report, std::size_t its_kept, Duration its_retry)
      : path(audit_path(state_dir)),
        report(std::move(its_report)),
        kept(its_kept),
        retry(its_retry),
        file(path, report) {
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

  /// The file is opened at the first resume(), so that damage is reported at the start.
  void run() {
    std::unique_lock guard(mutex);
    changed.wait(guard, [this] { return ending || !paused; });
    for (bool first = true;; first = false) {
      if (!first) wait(guard);
      if (queue.empty() && ending) return;
      const std::vector<AuditRecord> some(queue.begin(),
                                          queue.begin() + static_cast<std::ptrdiff_t>(std::min(queue.size(), kAtOnce)));
      writing = true;
      guard.unlock();
      std::string why = write(some);
      guard.lock();
      writing = false;
      why.empty() ? written(guard, some.size()) : failed(guard, std::move(why));
      rests.notify_all();
      if (!trouble.empty() && ending) return;
    }
  }

  void wait(std::unique_lock<std::mutex>& guard) {
    const auto has_work = [this] { return ending || (!paused && !queue.empty()); };
    if (trouble.empty()) return changed.wait(guard, has_work);
    changed.wait_for(guard, retry, [this] { return ending; });
    if (paused && !ending) changed.wait(guard, has_work);
  }

  /// Empty, or why nothing was written.
  std::string write(const std::vector<AuditRecord>& some) {
    try {
      try {
        auto& database = file.open();
        if (!some.empty()) add_records(database, some, kept);
      } catch (const DatabaseError& error) {
        if (error.kind() != DatabaseError::Kind::damaged) throw;
        file.begin_anew(error.what());
        add_records(file.open(), some, kept);
      }
      return {};
    } catch (const std::exception& error) {
      file.close();
      return error.what();
    }
  }

  void written(std::unique_lock<std::mutex>& guard, std::size_t count) {
    queue.erase(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(count));
    trouble.clear();
    const auto missing = std::exchange(unreported, 0);
    if (missing == 0) return;
    tell(guard, "lost", fmt::format("{} change{} missing in {}", missing, missing == 1 ? " is" : "s are", path));
  }

  void failed(std::unique_lock<std::mutex>& guard, std::string why) {
    const bool is_new = trouble.empty();
    trouble = std::move(why);
    if (!is_new) return;
    tell(guard, "disk",
         fmt::format("changes cannot be written to {}: {}; grayd goes on without, and tries again", path, trouble));
  }

  void tell(std::unique_lock<std::mutex>& guard, const char* cause, std::string text) {
    guard.unlock();
    report({.kind = EventKind::history_failed, .cause = cause, .text = std::move(text)});
    guard.lock();
  }

  const std::string path;
  const Report report;
  const std::size_t kept;
  const Duration retry;
  AuditFile file;  // used only by the writer
  mutable std::mutex mutex;
  std::condition_variable changed, rests;
  std::deque<AuditRecord> queue;
  std::uint64_t ordinal = 0;     // of the last change
  std::uint64_t lost = 0;        // since the start
  std::uint64_t unreported = 0;  // of these
  std::string trouble;           // why the last try failed; empty: it did not
  bool writing = false;
  bool paused = true;
  bool ending = false;
  std::thread writer;
};

AuditLog::AuditLog(const std::string& state_dir, Report report, std::size_t kept, Duration retry)
    : impl_(std::make_unique<Impl>(state_dir, std::move(report), kept, retry)) {}
AuditLog::~AuditLog() = default;

void AuditLog::add(AuditEntry entry) {
  if (entry.time == WallTime{}) entry.time = wall_now();
  cut(entry.reason);
  {
    std::lock_guard guard(impl_->mutex);
    if (impl_->queue.size() < kQueued) {
      impl_->queue.push_back({std::move(entry), ++impl_->ordinal});
    } else {
      ++impl_->lost;
      ++impl_->unreported;
    }
  }
  impl_->changed.notify_one();
}

std::uint64_t AuditLog::lost() const {
  std::lock_guard guard(impl_->mutex);
  return impl_->lost;
}

void AuditLog::settle(Duration limit) {
  std::unique_lock guard(impl_->mutex);
  impl_->rests.wait_for(guard, limit, [this] { return impl_->queue.empty() && !impl_->writing; });
  impl_->paused = true;
}

void AuditLog::resume() {
  {
    std::lock_guard guard(impl_->mutex);
    impl_->paused = false;
  }
  impl_->changed.notify_one();
}

template <class Io>
void AuditLog::archive(Io& io) {
  {
    std::lock_guard guard(impl_->mutex);
    io("queue", impl_->queue);
    io("ordinal", impl_->ordinal);
    io("lost", impl_->lost);
    io("unreported", impl_->unreported);
  }
  impl_->changed.notify_one();
}
template void AuditLog::archive(Save&);
template void AuditLog::archive(Load&);

}  // namespace gray::control

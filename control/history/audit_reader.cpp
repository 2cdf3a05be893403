#include "control/history/audit_reader.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "control/state/quiet_thread.hpp"

namespace gray::control {

AuditAnswer read_history(const std::string& path, const AuditQuery& query, Duration limit) {
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0 && errno == ENOENT) return {};
  try {
    Database database(path, Database::Access::read);
    database.give_up_at(Clock::now() + limit);
    if (database.number("SELECT count(*) FROM sqlite_master") == 0) return {};  // its writer is just making it
    return {find_records(database, query), {}};
  } catch (const std::exception& error) {
    return {nlohmann::json::array(), fmt::format("{} cannot be read: {}", path, error.what())};
  }
}

struct AuditReader::Impl {
  explicit Impl(const std::string& state_dir) : path(audit_path(state_dir)) {
    reader = quiet_thread([this] { run(); });
  }
  ~Impl() {
    {
      std::lock_guard guard(mutex);
      ending = true;
    }
    changed.notify_one();
    reader.join();
  }

  void run() {
    std::unique_lock guard(mutex);
    for (;;) {
      changed.wait(guard, [this] { return ending || !waiting.empty(); });
      if (ending) return;
      auto [query, done] = std::move(waiting.front());
      waiting.pop_front();
      guard.unlock();
      done(read_history(path, query, kLimit));
      guard.lock();
    }
  }

  const std::string path;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::pair<AuditQuery, Done>> waiting;
  bool ending = false;
  std::thread reader;
};

AuditReader::AuditReader(const std::string& state_dir) : impl_(std::make_unique<Impl>(state_dir)) {}
AuditReader::~AuditReader() = default;

bool AuditReader::ask(AuditQuery query, Done done) {
  {
    std::lock_guard guard(impl_->mutex);
    if (impl_->waiting.size() >= kWaiting) return false;
    impl_->waiting.emplace_back(std::move(query), std::move(done));
  }
  impl_->changed.notify_one();
  return true;
}

}  // namespace gray::control

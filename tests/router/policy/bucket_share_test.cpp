// The share of the users that a weight gives to the canary, for the kinds of ids that applications use. A hash whose
// high bits depend little on the last characters fails here: sequential ids then get 0 or twice the share.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <random>

#include "router/policy/decision.hpp"

namespace gray::policy {
namespace {

constexpr int kSharedUsers = 100'000;
constexpr int kSalts = 20;
constexpr double kShares[] = {1, 5, 10, 50};
// Fixed, because of 320 shares one leaves 4 sigma in every 50th run of an ideal hash. scripts/soak decisions draws it.
constexpr unsigned kShareSeed = 20'261'130;

std::string uuid(std::mt19937_64& random) {
  const std::uint64_t high = random(), low = random();
  char text[37];
  std::snprintf(text, sizeof text, "%08llx-%04llx-4%03llx-%04llx-%012llx", static_cast<unsigned long long>(high >> 32),
                static_cast<unsigned long long>((high >> 16) & 0xffff), static_cast<unsigned long long>(high & 0xfff),
                static_cast<unsigned long long>(0x8000 | ((low >> 48) & 0x3fff)),
                static_cast<unsigned long long>(low & 0xffffffffffff));
  return text;
}

struct IdKind {
  const char* name;
  std::string (*id)(int number, std::mt19937_64& random);
};

constexpr IdKind kIdKinds[] = {
    {"sequential from 1", [](int number, std::mt19937_64&) { return std::to_string(number + 1); }},
    {"sequential from 1000001", [](int number, std::mt19937_64&) { return std::to_string(number + 1'000'001); }},
    {"random numbers", [](int, std::mt19937_64& random) { return std::to_string(random()); }},
    {"UUIDs", [](int, std::mt19937_64& random) { return uuid(random); }},
};

/// How many of the hashes each share takes. A user whom a share takes must be taken by every larger one.
void check_shares(const std::vector<std::uint64_t>& hashes) {
  Threshold thresholds[std::size(kShares)];
  int taken[std::size(kShares)] = {}, lost = 0;
  for (std::size_t i = 0; i < std::size(kShares); ++i) thresholds[i] = Threshold::of_percent(kShares[i]);
  for (const std::uint64_t hash : hashes) {
    for (std::size_t i = 0; i < std::size(kShares); ++i) {
      const bool takes = thresholds[i].takes(hash);
      taken[i] += takes;
      lost += i > 0 && thresholds[i - 1].takes(hash) && !takes;
    }
  }
  CHECK(lost == 0);
  for (std::size_t i = 0; i < std::size(kShares); ++i) {
    const double p = kShares[i] / 100, sigma = std::sqrt(kSharedUsers * p * (1 - p));
    CAPTURE(kShares[i]);
    CHECK(std::abs(taken[i] - kSharedUsers * p) <= 4 * sigma);
  }
}

TEST_CASE("20 salts, sequential, random and UUID ids at 1, 5, 10 and 50 %: within 4 sigma, a ramp only adds users") {
  MESSAGE("seed " << kShareSeed);
  std::mt19937_64 random(kShareSeed);
  std::vector<std::uint64_t> hashes(kSharedUsers);
  for (const IdKind& kind : kIdKinds) {
    CAPTURE(kind.name);
    std::vector<std::string> ids;
    for (int i = 0; i < kSharedUsers; ++i) ids.push_back(kind.id(i, random));
    for (int i = 0; i < kSalts; ++i) {
      const std::string salt = "web/" + std::to_string(i < kSalts / 2 ? i : static_cast<int>(random() >> 40));
      CAPTURE(salt);
      for (std::size_t user = 0; user < ids.size(); ++user) hashes[user] = bucket_hash(salt, ids[user]);
      check_shares(hashes);
    }
  }
}

}  // namespace
}  // namespace gray::policy

#include "router/upstream/shedding.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

#include "tests/router/upstream/simulation.hpp"

namespace gray::upstream {
namespace {

using test::QueueFigures;
using test::QueueScenario;
using test::QueueSimulation;

constexpr Micros kNone{0};

TimePoint at_time(int ms) { return TimePoint{} + Duration{3'600'000 + ms}; }

/// 20 ms and 8 sockets: 2.5 ms for each place of the queue; half of the limit is reached behind 200 requests.
QueueLoad behind(std::size_t waiting, Duration mean = Duration{20}, std::size_t sockets = 8) {
  return {.waiting = waiting, .sockets = sockets, .mean_service = mean, .limit = Duration{1'000}};
}

/// A queue that has been standing for an interval, with these delays.
Shedding standing(const QueueLoad& load, Duration delay = Duration{300}) {
  Shedding shedding;
  for (int ms = 0; ms <= 110; ms += 10) shedding.serves(load, delay, at_time(ms));
  return shedding;
}

double of_possible(const QueueScenario& scenario, const QueueFigures& figures) {
  const double part = scenario.clients > 0 ? 1 : std::min(1.0, scenario.load);
  return figures.good / (part * scenario.capacity());
}

std::string name_of(const QueueScenario& scenario) {
  return std::to_string(scenario.service) + " ms, " + std::to_string(scenario.clients) + " clients, load " +
         std::to_string(scenario.load) + (scenario.at_random ? " at random, " : ", ") +
         std::to_string(scenario.sockets) + " sockets, " + std::to_string(scenario.threads) + " threads, queue " +
         std::to_string(scenario.queue);
}

}  // namespace

TEST_CASE("the expected wait is the work ahead, and half a service time of one socket") {
  CHECK(behind(0, Duration{100}, 1).wait_behind(0) == Duration{50});
  CHECK(behind(0, Duration{100}, 4).wait_behind(10) == Micros{262'500});
  CHECK(behind(0, Duration{0}).wait_behind(1'000) == kNone);
  CHECK(behind(0, Duration{20}, 0).wait_behind(1'000) == kNone);
  CHECK(behind(0).wait_behind(~std::size_t{0}) > Duration{1'000'000'000});
}

TEST_CASE("a newcomer is served in time if its estimated wait is, and the oldest one has not waited for half of it") {
  CHECK(behind(399).in_time(Duration{499}));
  CHECK_FALSE(behind(400).in_time(Duration{499}));
  CHECK_FALSE(behind(1).in_time(Duration{500}));
  CHECK(behind(5'000, Duration{0}).in_time(Duration{499}));  // before the first answer
  CHECK_FALSE(behind(5'000, Duration{0}).in_time(Duration{500}));
}

TEST_CASE("workers of 1 s: as many requests wait as can be served within queue_timeout") {
  CHECK(behind(0, Duration{1'000}, 8).worth_waiting(7));
  CHECK_FALSE(behind(0, Duration{1'000}, 8).worth_waiting(8));
  CHECK(behind(0, Duration{1'000}, 1).worth_waiting(0));
  CHECK_FALSE(behind(0, Duration{1'000}, 1).worth_waiting(1));
  CHECK(behind(0, Duration{1'900}, 1).worth_waiting(0));
  CHECK_FALSE(behind(0, Duration{2'100}, 1).worth_waiting(0));
}

TEST_CASE("where far more are refused than served, shedding ends after a time, which doubles with each trial") {
  Shedding shedding = standing(behind(150));
  int now = 120, began = 0, asked = 6;  // for each that is served
  const auto stands = [&](std::size_t waiting) {
    const Micros oldest = behind(0).wait_behind(waiting);
    shedding.serves(behind(waiting), oldest, at_time(now));
    for (int i = 0; i < asked; ++i) (void)shedding.admits(behind(waiting), oldest, at_time(now));
  };
  std::vector<int> times;
  while (times.size() < 7) {
    for (began = now; !shedding.active(); now += 10) stands(250);
    for (began = now; shedding.active(); now += 10) stands(30);  // with so few nothing is too long
    times.push_back((now - began) / 100 * 100);
  }
  CHECK(times == std::vector<int>{500, 1'000, 2'000, 4'000, 8'000, 16'000, 16'000});
  asked = 2;  // an overload as usual: no trial
  for (began = now; !shedding.active(); now += 10) stands(250);
  for (began = now; now < began + 60'000; now += 10) stands(30);
  CHECK(shedding.active());
}

TEST_CASE("all may wait who can be served within queue_timeout, while the queue is only a burst") {
  Shedding shedding;
  CHECK(shedding.admits(behind(0), kNone, at_time(0)));
  CHECK(shedding.admits(behind(399), Duration{50}, at_time(50)));
  CHECK_FALSE(shedding.admits(behind(400), Duration{50}, at_time(50)));
  CHECK_FALSE(shedding.active());
}

TEST_CASE("as long as the service time is not known all may wait") {
  Shedding shedding;
  CHECK(shedding.admits(behind(10'000, Duration{0}), Duration{50}, at_time(0)));
  CHECK_FALSE(Shedding::newest_first(behind(10'000, Duration{0})));
}

TEST_CASE("a standing queue up to half of queue_timeout refuses nobody") {
  Shedding shedding = standing(behind(150));
  CHECK(shedding.admits(behind(199), Duration{490}, at_time(120)));
  CHECK_FALSE(shedding.active());
}

TEST_CASE("beyond half of queue_timeout it sheds: newcomers wait only for a short time, until the queue is short") {
  Shedding shedding = standing(behind(150));
  CHECK_FALSE(shedding.admits(behind(200), Duration{490}, at_time(120)));
  CHECK(shedding.active());
  CHECK_FALSE(shedding.admits(behind(100), Duration{490}, at_time(121)));
  CHECK_FALSE(shedding.admits(behind(16), Duration{490}, at_time(122)));
  CHECK(shedding.admits(behind(15), Duration{490}, at_time(123)));
  SUBCASE("it was empty") {
    CHECK(shedding.admits(behind(0), kNone, at_time(130)));
    shedding.serves(behind(1), Duration{300}, at_time(250));
    CHECK(shedding.admits(behind(100), Duration{20}, at_time(251)));
    CHECK_FALSE(shedding.active());
  }
  SUBCASE("it was not") {
    shedding.serves(behind(15), Duration{30}, at_time(130));
    shedding.serves(behind(15), Duration{30}, at_time(250));
    CHECK_FALSE(shedding.admits(behind(16), Duration{30}, at_time(251)));
    CHECK(shedding.active());
  }
}

TEST_CASE("a wrong estimate is no excuse: it sheds when the oldest has waited for half of queue_timeout") {
  Shedding shedding = standing(behind(150));
  CHECK(shedding.admits(behind(20), Duration{500}, at_time(120)));
  CHECK_FALSE(shedding.admits(behind(20), Duration{501}, at_time(121)));
  CHECK(shedding.admits(behind(15), Duration{501}, at_time(122)));
}

TEST_CASE("the short wait is eight targets, at most half of queue_timeout, and lets one wait for each slow socket") {
  CHECK(Shedding::short_wait(behind(0, Duration{2}, 8)) == Duration{40});
  CHECK(Shedding::short_wait(behind(0, Duration{20}, 1)) == Duration{320});
  CHECK(Shedding::short_wait(behind(0, Duration{100}, 1)) == Duration{500});
  CHECK(Shedding::short_wait(behind(0, Duration{900}, 8)) == Duration{900});
  CHECK(Shedding::short_wait(behind(0, Duration{5'000}, 8)) == Duration{1'000});
}

TEST_CASE("newest first only if first-come order would take more than half of queue_timeout") {
  CHECK_FALSE(Shedding::newest_first(behind(199)));
  CHECK(Shedding::newest_first(behind(200)));
}

TEST_CASE("then the oldest is dropped if those before it take longer than it may still wait") {
  const Shedding shedding = standing(behind(300));
  CHECK(shedding.drops(behind(300), Duration{300}, 299));
  CHECK_FALSE(shedding.drops(behind(300), Duration{200}, 299));
  CHECK_FALSE(shedding.drops(behind(199), Duration{900}, 198));    // first-come order: it is next
  CHECK_FALSE(Shedding{}.drops(behind(300), Duration{900}, 299));  // only a burst
}

TEST_CASE("simulated: good answers as many as can be, whatever comes, and nobody is refused in vain") {
  const unsigned seed = std::random_device{}();
  MESSAGE("seed " << seed);
  for (const std::uint32_t threads : {1u, 4u}) {
    for (const double load : {0.9, 1.02, 1.1, 1.2, 2.0, 8.0}) {
      for (const bool at_random : {false, true}) {
        const QueueScenario scenario{
            .spread = at_random ? 0.5 : 0, .threads = threads, .load = load, .at_random = at_random, .seed = seed};
        const QueueFigures figures = QueueSimulation(scenario).run();
        INFO(name_of(scenario));
        CHECK(of_possible(scenario, figures) >= (at_random ? 0.94 : 0.98));  // at random fewer may come
        // At random more may come than can be served: a queue of half of queue_timeout is then refused once.
        const double lost = 0.5 * scenario.capacity() / scenario.seconds;
        if (load <= 1.02) CHECK(figures.all_refused() <= (at_random ? lost + 0.01 * figures.good : 0));
        CHECK(QueueFigures::quantile(figures.refusals, 0.99) < 50);
        if (load >= 2) CHECK(figures.left <= 130);  // a trial may have just begun
      }
    }
  }
}

TEST_CASE("simulated: closed loops of 100 to 9,000 clients") {
  for (const std::uint32_t clients : {100u, 1'000u, 9'000u}) {
    for (const double service : {0.3, 2.0, 20.0}) {
      for (const std::uint32_t queue : {256u, 10'000u}) {
        const QueueScenario scenario{
            .service = service, .threads = 2, .clients = clients, .think = 100, .queue = queue, .seconds = 2};
        const QueueFigures figures = QueueSimulation(scenario).run();
        INFO(name_of(scenario));
        CHECK(of_possible(scenario, figures) >= 0.98);
        const bool all_fit = queue >= clients && clients * service / scenario.sockets < scenario.queue_timeout / 2;
        if (all_fit) CHECK(figures.all_refused() == 0);
        if (queue < clients) CHECK(QueueFigures::quantile(figures.refusals, 0.99) < 50);
      }
    }
  }
}

TEST_CASE("simulated: workers of 1 s") {
  for (const std::uint32_t sockets : {1u, 8u}) {
    for (const double load : {0.9, 1.2, 2.0, 8.0}) {
      const QueueScenario scenario{.service = 1'000,
                                   .sockets = sockets,
                                   .load = load,
                                   .queue = 50,
                                   .queue_timeout = sockets == 1 ? 3'000.0 : 1'000.0,
                                   .seconds = 60};
      const QueueFigures figures = QueueSimulation(scenario).run();
      INFO(name_of(scenario));
      CHECK(of_possible(scenario, figures) >= 0.98);
    }
  }
}

TEST_CASE("simulated: workers become slower, and hardly anybody waits in vain") {
  for (const double slower : {2.0, 5.0, 20.0}) {
    const QueueScenario scenario{.load = 0.8, .seconds = 20, .slower = slower};
    const QueueFigures figures = QueueSimulation(scenario).run();
    INFO("slower by " << slower);
    const double possible = scenario.capacity() / 2 * (0.8 + std::min(0.8, 1 / slower));
    CHECK(figures.good >= 0.97 * possible);
    CHECK(figures.timed_out + figures.dropped <= 0.02 * figures.refused + 150);  // those who waited already
  }
}

}  // namespace gray::upstream

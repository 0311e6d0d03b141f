// Threads of a team without a network: each step checks that all of the steps before it are done.
#include "team.h"

#include <cstdio>
#include <cstring>
#include <sys/wait.h>
#include <vector>

using namespace triscale;

static constexpr int MOST = 64, STEPS = 7, PAIR = 2;
static const int TILES[STEPS] = {1, 3, PAIR, 1, 1, MOST, 5};
static int seen[STEPS][MOST];
static std::atomic<int> inside{0}, met{0};
static std::atomic<bool> meeting{false};

// Plain memory: a step that began too early, or a tile that ran twice, is a race or a wrong count.
template <int STEP>
static void tile(const Task& at, Part tiles) {
  const int now = (int)*at.image;
  for (int n = tiles.begin; n < tiles.end; ++n) {
    if constexpr (STEP > 0)
      for (int before = 0; before < TILES[STEP - 1]; ++before) at.arena[n] += seen[STEP - 1][before] != now;
    at.arena[n] += seen[STEP][n] != now - 1;
    seen[STEP][n] = now;
    at.own[0] = (float)n;
  }
  if (STEP == PAIR && meeting) {  // waits a second for another thread in the same step
    ++inside;
    timespec pause{0, 100'000};
    for (int turn = 0; turn < 10'000 && inside < PAIR; ++turn) nanosleep(&pause, nullptr);
    if (inside >= PAIR) ++met;
  }
  if (STEP == STEPS - 1 && tiles.begin == 0) at.logits[0] = *at.image;
}

static const Step steps[STEPS] = {{tile<0>, TILES[0]}, {tile<1>, TILES[1]}, {tile<2>, TILES[2]}, {tile<3>, TILES[3]},
                                  {tile<4>, TILES[4]}, {tile<5>, TILES[5]}, {tile<6>, TILES[6]}};
static int counter = 0;

static int run(Team& team, int images, std::vector<float>& arena) {
  std::vector<float> from(images), to(images, -1);
  for (float& one : from) one = (float)++counter;
  team.run({images, from.data(), to.data(), 1, 1});
  int faults = std::memcmp(from.data(), to.data(), sizeof(float) * images) != 0;
  for (float& one : arena) faults += one != 0, one = 0;
  return faults;
}

static int order(int threads) {
  std::vector<float> arena(MOST), own(threads);
  Team team;
  if (!team.start(steps, STEPS, arena.data(), own.data(), 1, threads)) return 1;
  int faults = 0;
  timespec asleep{0, 300'000};
  for (int call = 0; call < 400; ++call) {
    faults += run(team, 1 + call % 5, arena);
    if (call % 10 == 0) nanosleep(&asleep, nullptr);
  }
  team.stop();
  return faults;
}

// Two tiles of a step run at once, by threads that are new and by threads that slept.
static int meet() {
  std::vector<float> arena(MOST), own(2);
  int faults = 0;
  meeting = true;
  for (int turn = 0; turn < 4; ++turn) {
    Team team;
    if (!team.start(steps, STEPS, arena.data(), own.data(), 1, 2)) return 1;
    if (turn % 2) usleep(20'000);
    inside = 0, met = 0;
    faults += run(team, 1, arena) + (met != PAIR);
    team.stop();
  }
  return faults;
}

static int forked() {
  std::vector<float> arena(MOST), own(3);
  Team team;
  if (!team.start(steps, STEPS, arena.data(), own.data(), 1, 3)) return 1;
  int faults = run(team, 2, arena), status = 0;
  const pid_t child = fork();
  if (child == 0) {
    faults += run(team, 2, arena);
    team.stop();
    _exit(faults);
  }
  waitpid(child, &status, 0);
  faults += run(team, 2, arena) + (status != 0);
  team.stop();
  return faults;
}

static int many() {
  std::vector<float> arena(MOST), own(3);
  int faults = 0;
  for (int turn = 0; turn < 200; ++turn) {
    Team team;
    if (!team.start(steps, STEPS, arena.data(), own.data(), 1, 3)) return 1;
    if (turn % 2) faults += run(team, 1, arena);
    team.stop();
  }
  return faults;
}

// How many calls go alone before threads are tried again, where one alone takes so long.
static int alone(Choice& one, long taken) {
  int calls = 0;
  for (; !one.together(); ++calls) one.learn(false, taken, 0);
  return calls;
}

// One alone is tried where threads waited long; then as long as what was lost is a 32nd of it, and not while threads had
// saved more than they lose.
static int choice() {
  Choice one;
  int faults = alone(one, 0) != 0;
  one.learn(true, 100, 10);
  faults += alone(one, 0) != 0;
  one.learn(true, 900, 800);
  faults += alone(one, 100) != 1;
  one.learn(true, 190, 0);  // as much more than 90 as one alone takes
  faults += alone(one, 100) != 33;
  one.learn(true, 92, 0);
  faults += alone(one, 100) != 1;
  for (int call = 0; call < 3; ++call) one.learn(true, 60, 0);
  one.learn(true, 180, 0);  // 90 had been saved
  faults += alone(one, 100) != 0;
  one.learn(true, 91, 0);
  faults += alone(one, 100) != 1;
  for (int call = 0; call < 100; ++call) one.learn(true, 50, 0);
  one.learn(true, 90 + 400, 0);
  faults += alone(one, 100) != 0;
  one.learn(true, 1'000'000, 0);  // whatever was lost, threads are tried again
  faults += alone(one, 100) != 4096;
  return faults;
}

int main(int count, char** names) {
  const char* const name = count > 1 ? names[1] : "";
  const int faults = !std::strcmp(name, "order")    ? order(2) + order(3) + order(7)
                     : !std::strcmp(name, "meet")   ? meet()
                     : !std::strcmp(name, "forked") ? forked()
                     : !std::strcmp(name, "many")   ? many()
                     : !std::strcmp(name, "choice") ? choice()
                                                    : -1;
  std::printf("%d\n", faults);
  return faults != 0;
}

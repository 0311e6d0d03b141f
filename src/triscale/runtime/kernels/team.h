// Threads that share the tiles of a network's steps. They wait for tiles, not for each other: a thread that the system
// put aside between two tiles delays nobody, and one that comes late begins where the others are.
#pragma once
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <new>

#include "step.h"

#if defined(__x86_64__)
#define TRISCALE_RELAX __builtin_ia32_pause()
#elif defined(__aarch64__)
#define TRISCALE_RELAX asm volatile("yield")
#else
#define TRISCALE_RELAX
#endif

namespace triscale {

// What one call computes.
struct Call {
  int images;
  const float* from;
  float* to;
  long pixels, classes;
};

// Whether threads go together. What calls of several threads save, beside one thread alone, is credit for what others lose.
// When it is used up, one thread goes alone, for so many calls that the loss is a small part of them.
class Choice {
 public:
  bool together() {
    if (resting == 0) return true;
    --resting;
    return false;
  }
  // Nanoseconds of an image, and how many of them the caller waited.
  void learn(bool together, long taken, long waited) {
    if (!together) {
      alone = rested || taken < alone ? taken : alone;
      rested = false;
    } else if (alone == 0) {  // what one alone takes is learned where threads seem to be worth little
      if (4 * waited >= taken) go_alone(1);
    } else {
      const long most = CREDIT * alone, saved = credit + WORTH * alone / 10 - taken;
      credit = saved < most ? saved : most;
      if (credit < 0) go_alone(1 - PART * credit / alone);
    }
  }

 private:
  // Several threads are worth it below so many tenths of what one takes; credit ends at so many times of what one takes;
  // the loss is at most one such part of the calls alone, and those end at some time.
  static constexpr long WORTH = 9, CREDIT = 4, PART = 32, MOST = 4096;
  long alone = 0, credit = 0, resting = 0;
  bool rested = false;  // the next call alone is the first of a rest

  void go_alone(long calls) { resting = calls < MOST ? calls : MOST, credit = 0, rested = true; }
};

class Team {
 public:
  // `threads` with the caller's. false: the system has no more threads or memory, and `stop` is to be called.
  bool start(const Step* all, int count, float* maps, float* rings, long ring, int threads) {
    steps = all, step_count = count, arena = maps, own = rings, own_floats = ring, process = getpid(), share = 2 * threads;
    void* made = nullptr;
    if (posix_memalign(&made, alignof(Member), threads * sizeof(Member))) return false;
    members = (Member*)made;
    for (int n = 0; n < threads; ++n) new (&members[n]) Member{this, n, {}};
    if (threads == 1) return true;
    pthread_attr_t small;
    sigset_t every, before;
    sigfillset(&every);
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 1024 * 1024);  // thread-local memory of a large program takes its part
    pthread_sigmask(SIG_SETMASK, &every, &before);  // signals are for the threads of the program
    for (; helpers < threads - 1; ++helpers) {
      Member& helper = members[helpers + 1];
      if (pthread_create(&helper.thread, &small, &Team::help, &helper)) break;
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&small);
    return helpers == threads - 1;
  }

  // In a process that was forked there are no helpers to end.
  void stop() {
    if (helpers && process == getpid()) {
      pthread_mutex_lock(&lock);
      ending.store(true);
      pthread_cond_broadcast(&news);
      pthread_mutex_unlock(&lock);
      for (int n = 1; n <= helpers; ++n) pthread_join(members[n].thread, nullptr);
    }
    std::free(members);
  }

  // Every image, one after the other. A process that was forked has this thread alone.
  void run(const Call& given) {
    first = end, end = first + (uint64_t)given.images * step_count, call = given;
    if (!helpers || process != getpid()) return run_alone();
    const bool together = choice.together();
    const long begin = now();
    waited = 0;
    if (together) keep_apart(), go_on(0, first), work(0, end);
    else run_alone();
    choice.learn(together, (now() - begin) / given.images, waited / given.images);
  }

  // Nanoseconds of each step of one image, in this thread.
  void time_steps(const Call& given, long long* nanoseconds) {
    first = end, end = first + step_count, call = given;
    for (uint64_t place = first; place < end; ++place) {
      const Step& step = step_at(place);
      const long begin = now();
      step.run(task_at(0, place), {0, step.tiles});
      nanoseconds[place - first] = now() - begin;
    }
  }

 private:
  struct alignas(64) Member {
    Team* team;
    int number;
    pthread_t thread;
  };

  // The state: a place in the sequence of all steps that ever ran, and how many tiles of it nobody has claimed.
  static constexpr int BITS = 16;
  static constexpr uint64_t LEFT = (1 << BITS) - 1, NEVER = ~0ull;
  static constexpr long SPIN = 50'000;

  const Step* steps;
  int left_free = -1;  // the core that helpers keep off
  int step_count, helpers = 0, share = 1;  // beside the caller; one of how many parts of what is left is claimed at once
  float *arena, *own;
  long own_floats, waited = 0;
  pid_t process;
  Member* members = nullptr;
  Choice choice;
  Call call{};
  uint64_t first = 1, end = 1;  // places of the call's first step and behind its last
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t news = PTHREAD_COND_INITIALIZER;
  std::atomic<bool> ending{false};
  alignas(64) std::atomic<uint64_t> state{1ul << BITS};
  alignas(64) std::atomic<int> done{0};
  alignas(64) std::atomic<int> sleepers{0};

  static long now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1'000'000'000L + time.tv_nsec;
  }

  static void* help(void* given) {
    const Member& helper = *(const Member*)given;
    helper.team->work(helper.number, NEVER);
    return nullptr;
  }

  // Helpers keep off the core of the caller: where all cores are busy, the system wakes them on the core of who wakes them,
  // where they could only run in turns.
  void keep_apart() {
#if defined(__linux__)
    const int core = sched_getcpu();
    if (core == left_free) return;
    left_free = core;
    cpu_set_t others;
    if (core < 0 || core >= CPU_SETSIZE || sched_getaffinity(0, sizeof others, &others)) return;
    CPU_CLR(core, &others);
    for (int n = 1; n <= helpers && CPU_COUNT(&others); ++n)
      pthread_setaffinity_np(members[n].thread, sizeof others, &others);
#endif
  }

  void run_alone() {
    for (uint64_t place = first; place < end; ++place) {
      const Step& step = step_at(place);
      step.run(task_at(0, place), {0, step.tiles});
    }
  }

  const Step& step_at(uint64_t place) const { return steps[(place - first) % step_count]; }

  Task task_at(int member, uint64_t place) const {
    const long image = (place - first) / step_count;
    return {arena, own + member * own_floats, call.from + image * call.pixels, call.to + image * call.classes};
  }

  // Claims tiles and runs them, until the sequence is at `until`. Many at first and one in the end, so that all end together.
  void work(int member, uint64_t until) {
    for (;;) {
      uint64_t seen = state.load(std::memory_order_acquire);
      if (const int left = seen & LEFT) {
        const int some = left / share > 1 ? left / share : 1;
        if (state.compare_exchange_weak(seen, seen - some, std::memory_order_acq_rel, std::memory_order_relaxed))
          run_tiles(member, seen >> BITS, left, some);
      } else if (seen >> BITS == until || ending.load(std::memory_order_relaxed)) {
        return;
      } else {
        wait(member, seen);
      }
    }
  }

  // The call is looked at after the claim, for then it cannot end before the tile does.
  void run_tiles(int member, uint64_t place, int left, int some) {
    const Step& step = step_at(place);
    const int begin = step.tiles - left;
    step.run(task_at(member, place), {begin, begin + some});
    if (done.fetch_add(some, std::memory_order_acq_rel) + some < step.tiles) return;
    done.store(0, std::memory_order_relaxed);
    go_on(member, place + 1);
  }

  // All before `place` is done: runs the steps of a single tile, and lets all see the next with more.
  void go_on(int member, uint64_t place) {
    for (; place < end; ++place) {
      const Step& step = step_at(place);
      if (step.tiles > 1) return publish(place << BITS | step.tiles);
      step.run(task_at(member, place), {0, 1});
    }
    publish(place << BITS);
  }

  // Whoever falls asleep counts itself before it looks a last time, so one of both sees the other.
  void publish(uint64_t next) {
    state.store(next);
    if (!sleepers.load()) return;
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&news);
    pthread_mutex_unlock(&lock);
  }

  // Until the state is another: spins, then sleeps.
  void wait(int member, uint64_t seen) {
    const long begin = now();
    bool changed = false;
    while (!changed && now() - begin < SPIN)
      for (int turn = 0; turn < 32 && !changed; ++turn) {
        TRISCALE_RELAX;
        changed = state.load(std::memory_order_relaxed) != seen;
      }
    if (!changed) sleep(seen);
    if (member == 0) waited += now() - begin;
  }

  void sleep(uint64_t seen) {
    pthread_mutex_lock(&lock);
    ++sleepers;
    while (state.load() == seen && !ending.load()) pthread_cond_wait(&news, &lock);
    --sleepers;
    pthread_mutex_unlock(&lock);
  }
};

}  // namespace triscale

// The functions that callers see, built for every processor of the kind: the instruction set is checked before a kernel runs.
#include "triscale_net.h"

#include "sizes.h"
#include "team.h"

#define TRISCALE_EXPORT extern "C" __attribute__((visibility("default")))

extern "C" __attribute__((visibility("hidden"))) const triscale::Step triscale_steps[TRISCALE_STEPS];
asm(".section .rodata\ntriscale_about_text:\n.incbin \"about.json\"\n.byte 0\n.text\n");
extern "C" __attribute__((visibility("hidden"))) const char triscale_about_text[];

struct triscale_net {
  int batch;
  std::atomic_flag busy;
  float* memory;
  triscale::Team team;
};

// Beyond what any machine has threads are a mistake.
static constexpr int MOST_THREADS = 1024;

static bool has_instructions() {
#if defined(__x86_64__) && defined(TRISCALE_NEEDS_AVX512)
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#elif defined(__x86_64__) && defined(TRISCALE_NEEDS_AVX2)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#else
  return true;
#endif
}

TRISCALE_EXPORT int triscale_abi() { return TRISCALE_ABI; }
TRISCALE_EXPORT const char* triscale_isa() { return TRISCALE_ISA_NAME; }
TRISCALE_EXPORT const char* triscale_about() { return triscale_about_text; }
TRISCALE_EXPORT triscale_sizes triscale_shape() {
  return {TRISCALE_CHANNELS, TRISCALE_HEIGHT, TRISCALE_WIDTH, TRISCALE_CLASSES};
}

TRISCALE_EXPORT int triscale_create(int batch, int threads, triscale_net** net) {
  if (!net || batch < 1 || threads < 1 || threads > MOST_THREADS) return TRISCALE_BAD_ARGUMENT;
  if (!has_instructions()) return TRISCALE_WRONG_PROCESSOR;
  void *made = nullptr, *memory = nullptr;
  if (posix_memalign(&made, alignof(triscale_net), sizeof(triscale_net))) return TRISCALE_OUT_OF_MEMORY;
  if (posix_memalign(&memory, 4096, sizeof(float) * (TRISCALE_ARENA + (unsigned long)threads * TRISCALE_OWN))) {
    std::free(made);
    return TRISCALE_OUT_OF_MEMORY;
  }
  float* const arena = (float*)memory;
  triscale_net* const found = new (made) triscale_net{batch, ATOMIC_FLAG_INIT, arena, {}};
  if (!found->team.start(triscale_steps, TRISCALE_STEPS, arena, arena + TRISCALE_ARENA, TRISCALE_OWN, threads)) {
    triscale_free(found);
    return TRISCALE_OUT_OF_MEMORY;
  }
  *net = found;
  return TRISCALE_OK;
}

TRISCALE_EXPORT int triscale_run(triscale_net* net, int count, const float* images, float* logits) {
  if (!net || !images || !logits || count < 1 || count > net->batch) return TRISCALE_BAD_ARGUMENT;
  if (net->busy.test_and_set(std::memory_order_acquire)) return TRISCALE_BUSY;
  net->team.run({count, images, logits, (long)TRISCALE_CHANNELS * TRISCALE_HEIGHT * TRISCALE_WIDTH, TRISCALE_CLASSES});
  net->busy.clear(std::memory_order_release);
  return TRISCALE_OK;
}

TRISCALE_EXPORT void triscale_free(triscale_net* net) {
  if (!net) return;
  net->team.stop();
  std::free(net->memory);
  std::free(net);
}

// The functions that callers see, built for every processor of the kind: the instruction set is checked before a kernel runs.
#include "triscale_net.h"

#include <atomic>
#include <cstdlib>
#include <new>

#include "sizes.h"

#define TRISCALE_EXPORT extern "C" __attribute__((visibility("default")))

extern "C" void triscale_one_image(float* arena, const float* image, float* logits);
asm(".section .rodata\ntriscale_about_text:\n.incbin \"about.json\"\n.byte 0\n.text\n");
extern "C" __attribute__((visibility("hidden"))) const char triscale_about_text[];

struct triscale_net {
  int batch;
  std::atomic_flag busy;
  float* arena;
};

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
  if (!net || batch < 1 || threads != 1) return TRISCALE_BAD_ARGUMENT;
  if (!has_instructions()) return TRISCALE_WRONG_PROCESSOR;
  void *made = std::malloc(sizeof(triscale_net)), *arena = nullptr;
  if (!made) return TRISCALE_OUT_OF_MEMORY;
  if (posix_memalign(&arena, 4096, sizeof(float) * TRISCALE_ARENA)) {
    std::free(made);
    return TRISCALE_OUT_OF_MEMORY;
  }
  *net = new (made) triscale_net{batch, ATOMIC_FLAG_INIT, (float*)arena};
  return TRISCALE_OK;
}

TRISCALE_EXPORT int triscale_run(triscale_net* net, int count, const float* images, float* logits) {
  if (!net || !images || !logits || count < 1 || count > net->batch) return TRISCALE_BAD_ARGUMENT;
  if (net->busy.test_and_set(std::memory_order_acquire)) return TRISCALE_BUSY;
  const long image = (long)TRISCALE_CHANNELS * TRISCALE_HEIGHT * TRISCALE_WIDTH;
  for (long n = 0; n < count; ++n)
    triscale_one_image(net->arena, images + n * image, logits + n * TRISCALE_CLASSES);
  net->busy.clear(std::memory_order_release);
  return TRISCALE_OK;
}

TRISCALE_EXPORT void triscale_free(triscale_net* net) {
  if (!net) return;
  std::free(net->arena);
  std::free(net);
}

// The functions that callers see. They run on every processor of the kind: the instruction set is checked before a kernel runs.
#include "triscale_net.h"

#include "embed.h"
#include "lock.h"
#include "sizes.h"
#include "team.h"

#define TRISCALE_EXPORT extern "C" __attribute__((visibility("default")))

// Where kernels are in the same file, all of it is compiled for their instruction set: but not what runs before the check.
#if defined(__x86_64__)
#define TRISCALE_ANY_PROCESSOR __attribute__((noinline, target("general-regs-only,no-bmi,no-bmi2,no-lzcnt,no-popcnt")))
#else
#define TRISCALE_ANY_PROCESSOR __attribute__((noinline))
#endif

TRISCALE_HIDDEN const triscale::Step triscale_steps[TRISCALE_STEPS];
#ifdef TRISCALE_EMBED
static const char triscale_about_text[] = {
#embed "about.json"
    , 0};
static bool is_whole() { return true; }
#else
TRISCALE_EMBED_FILE("triscale_about_text", "about.json", TRISCALE_ABOUT_BYTES);
TRISCALE_HIDDEN const char triscale_about_text[];
TRISCALE_HIDDEN const float triscale_weights[];
TRISCALE_HIDDEN const char triscale_weights_end[];
static bool is_whole() { return (uintptr_t)triscale_weights_end - (uintptr_t)triscale_weights == TRISCALE_WEIGHT_BYTES; }
#endif

struct triscale_net {
  int batch;
  std::atomic_flag busy;
  float* memory;
  triscale::Team team;
};

// Beyond what any machine has threads are a mistake.
static constexpr int MOST_THREADS = 1024;

// What the kernels need, and what else the compiler was allowed to use in this file.
TRISCALE_ANY_PROCESSOR static bool has_instructions() {
#define TRISCALE_HAS(feature) \
  if (!__builtin_cpu_supports(feature)) return false
#if defined(__x86_64__)
#if defined(TRISCALE_NEEDS_AVX512)
  TRISCALE_HAS("avx512f");
  TRISCALE_HAS("avx512bw");
  TRISCALE_HAS("avx512cd");
  TRISCALE_HAS("avx512dq");
  TRISCALE_HAS("avx512vl");
#endif
#if defined(TRISCALE_NEEDS_AVX512) || defined(TRISCALE_NEEDS_AVX2)
  TRISCALE_HAS("avx2");
  TRISCALE_HAS("fma");
  TRISCALE_HAS("bmi");
  TRISCALE_HAS("bmi2");
  TRISCALE_HAS("popcnt");
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11  // older ones, and clang, do not know these words
  TRISCALE_HAS("f16c");
  TRISCALE_HAS("lzcnt");
  TRISCALE_HAS("movbe");
#endif
#endif
#ifdef __FMA4__
  TRISCALE_HAS("fma4");
#endif
#ifdef __XOP__
  TRISCALE_HAS("xop");
#endif
#ifdef __SSE4_2__
  TRISCALE_HAS("sse4.2");
#endif
#ifdef __AVX__
  TRISCALE_HAS("avx");
#endif
#ifdef __AVX512VBMI__
  TRISCALE_HAS("avx512vbmi");
#endif
#ifdef __AVX512VBMI2__
  TRISCALE_HAS("avx512vbmi2");
#endif
#ifdef __AVX512IFMA__
  TRISCALE_HAS("avx512ifma");
#endif
#ifdef __AVX512VNNI__
  TRISCALE_HAS("avx512vnni");
#endif
#ifdef __AVX512BITALG__
  TRISCALE_HAS("avx512bitalg");
#endif
#ifdef __AVX512VPOPCNTDQ__
  TRISCALE_HAS("avx512vpopcntdq");
#endif
#ifdef __GFNI__
  TRISCALE_HAS("gfni");
#endif
#endif
  return true;
}

TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR int triscale_abi() { return TRISCALE_ABI; }
TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR const char* triscale_isa() { return TRISCALE_ISA_NAME; }
TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR const char* triscale_about() { return triscale_about_text; }
TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR triscale_sizes triscale_shape() {
  return {TRISCALE_CHANNELS, TRISCALE_HEIGHT, TRISCALE_WIDTH, TRISCALE_CLASSES};
}
TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR const char* triscale_class(int index) {
  return index < 0 || index >= TRISCALE_NAMES ? nullptr : triscale_names[index];
}

static int created(int batch, int threads, triscale_net** net) {
  if (!is_whole()) return TRISCALE_DAMAGED;
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

TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR int triscale_create(int batch, int threads, triscale_net** net) {
  if (!net || batch < 1 || threads < 1 || threads > MOST_THREADS) return TRISCALE_BAD_ARGUMENT;
  if (!has_instructions()) return TRISCALE_WRONG_PROCESSOR;
  return created(batch, threads, net);
}

static void prepared(const unsigned char* pixels, float* image) {
  constexpr long area = (long)TRISCALE_HEIGHT * TRISCALE_WIDTH;
  for (long at = 0; at < area; ++at, pixels += 3)
    for (int channel = 0; channel < TRISCALE_CHANNELS; ++channel) {
      // Grey is the luma of ITU-R 601.
      const unsigned luma = (19595u * pixels[0] + 38470u * pixels[1] + 7471u * pixels[2] + 0x8000u) >> 16;
      const float level = TRISCALE_CHANNELS == 1 ? luma : pixels[channel];
      image[channel * area + at] = level * triscale_scale[channel] - triscale_offset[channel];
    }
}

TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR int triscale_prepare(const unsigned char* pixels, float* image) {
  if (!TRISCALE_PREPARES || !pixels || !image) return TRISCALE_BAD_ARGUMENT;
  if (!has_instructions()) return TRISCALE_WRONG_PROCESSOR;
  prepared(pixels, image);
  return TRISCALE_OK;
}

TRISCALE_EXPORT int triscale_run(triscale_net* net, int count, const float* images, float* logits) {
  if (!net || !images || !logits || count < 1 || count > net->batch) return TRISCALE_BAD_ARGUMENT;
  if (net->busy.test_and_set(std::memory_order_acquire)) return TRISCALE_BUSY;
  net->team.run({count, images, logits, (long)TRISCALE_CHANNELS * TRISCALE_HEIGHT * TRISCALE_WIDTH, TRISCALE_CLASSES});
  net->busy.clear(std::memory_order_release);
  return TRISCALE_OK;
}

static int timed(triscale_net* net, const float* image, float* logits, long long* nanoseconds) {
  if (net->busy.test_and_set(std::memory_order_acquire)) return TRISCALE_BUSY;
  net->team.time_steps({1, image, logits, (long)TRISCALE_CHANNELS * TRISCALE_HEIGHT * TRISCALE_WIDTH, TRISCALE_CLASSES},
                       nanoseconds);
  net->busy.clear(std::memory_order_release);
  return TRISCALE_STEPS;
}

TRISCALE_EXPORT TRISCALE_ANY_PROCESSOR int triscale_profile(triscale_net* net, const float* image, float* logits,
                                                            long long* nanoseconds) {
  if (!nanoseconds) return TRISCALE_STEPS;  // asked before there is a network
  if (!net || !image || !logits) return TRISCALE_BAD_ARGUMENT;
  return timed(net, image, logits, nanoseconds);
}

TRISCALE_EXPORT void triscale_free(triscale_net* net) {
  if (!net) return;
  net->team.stop();
  std::free(net->memory);
  std::free(net);
}

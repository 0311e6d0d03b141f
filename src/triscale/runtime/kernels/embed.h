// A file in the program, by the assembler, at the beginning of a cache line. The assembler looks for it where the compiler was
// started and in the folders of -Wa,-I; GNU's says where it has fewer bytes.
#pragma once
#if defined(__APPLE__)
#define TRISCALE_EMBED_FILE(name, file, bytes) TRISCALE_EMBEDDED("__TEXT,__const", ".private_extern", "_" name, file, bytes)
#else
#define TRISCALE_EMBED_FILE(name, file, bytes) TRISCALE_EMBEDDED(".rodata", ".hidden", name, file, bytes)
#endif
#define TRISCALE_EMBEDDED(section, hidden, name, file, bytes)                                                         \
  asm(".pushsection " section "\n.globl " name "\n.globl " name "_end\n" hidden " " name "\n" hidden " " name "_end\n" \
      ".p2align 6\n" name ":\n.incbin \"" file "\", 0, " #bytes "\n" name "_end:\n.byte 0\n.popsection\n")
#define TRISCALE_HIDDEN extern "C" __attribute__((visibility("hidden")))

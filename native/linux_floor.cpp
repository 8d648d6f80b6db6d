// SPDX-License-Identifier: MIT
// Keeps the binary loadable wherever Node itself runs (glibc 2.28, libstdc++ of GCC 8): what headers of later compilers refer to in later
// libraries is defined here, for this binary alone, by what the earlier ones have. The linker script (cmake/exports.map) keeps all of it
// inside; scripts/check-binary.mjs reads the result. Weak, because compilers for old systems (Red Hat's) bring some of it along themselves.
#if defined(__linux__)
#include <condition_variable>
#include <new>

#if defined(__GLIBCXX__) && _GLIBCXX_RELEASE >= 12
// Lost `noexcept`, and gained a new version of its symbol, in GCC 12.
__attribute__((weak)) void std::condition_variable::wait(std::unique_lock<std::mutex>& lock) {
  if (pthread_cond_wait(native_handle(), lock.mutex()->native_handle()) != 0) std::terminate();
}
#endif

#if defined(__GLIBCXX__) && _GLIBCXX_RELEASE >= 11
// What std::allocator throws for more elements than memory has addresses; a function of its own since GCC 11.
__attribute__((weak)) void std::__throw_bad_array_new_length() { throw std::bad_array_new_length(); }
#endif

#if defined(__GLIBC__)
// What shared pointers ask before they count without atomic instructions, since glibc 2.32. Node always has threads: the answer is no.
extern "C" {
extern char __libc_single_threaded;
char __libc_single_threaded = 0;
}
#endif
#endif

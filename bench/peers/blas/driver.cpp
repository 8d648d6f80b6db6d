// SPDX-License-Identifier: MIT
// Matrix products by the BLAS library whose file is named on the command line.
#include <dlfcn.h>

#include <cstdlib>
#include <memory>

#include "../driver.h"

namespace {

using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda, const float* b, int ldb, float beta,
                       float* c, int ldc);
constexpr int kRowMajor = 101, kPlain = 111;

struct Free {
  void operator()(float* data) const { std::free(data); }
};

std::shared_ptr<float> floats(int64_t count) {
  const size_t bytes = (static_cast<size_t>(count) * sizeof(float) + 63) / 64 * 64;
  return std::shared_ptr<float>(static_cast<float*>(std::aligned_alloc(64, bytes)), Free());
}

std::string version_of(void* library, const std::string& file) {
  if (const auto blis = reinterpret_cast<const char* (*)()>(dlsym(library, "bli_info_get_version_str"))) return std::string("BLIS ") + blis();
  if (const auto config = reinterpret_cast<const char* (*)()>(dlsym(library, "openblas_get_config"))) return config();
  return file;
}

}  // namespace

int main(int count, char** arguments) {
  void* library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : nullptr;
  const auto sgemm = library == nullptr ? nullptr : reinterpret_cast<Sgemm>(dlsym(library, "cblas_sgemm"));
  if (sgemm == nullptr) {
    std::fprintf(stderr, "%s\n", count == 2 ? dlerror() : "usage: driver LIBRARY");
    return 1;
  }
  return peer::drive(version_of(library, arguments[1]), [&](std::istream& words) -> std::vector<peer::Contender> {
    std::string kind, pass;
    int M = 0, N = 0, K = 0;
    words >> kind >> pass >> M >> N >> K;
    if (!words || kind != "gemm") throw peer::Refusal("a BLAS does gemm, with three numbers");
    const auto a = floats(int64_t{M} * K), b = floats(int64_t{K} * N), c = floats(int64_t{M} * N);
    peer::fill(a.get(), int64_t{M} * K, 1);
    peer::fill(b.get(), int64_t{K} * N, 2);
    const auto run = [=] { sgemm(kRowMajor, kPlain, kPlain, M, N, K, 1.0f, a.get(), K, b.get(), N, 0.0f, c.get(), N); };
    const auto sample = [=](int, const std::vector<int64_t>& positions) {
      std::vector<float> values;
      for (const int64_t at : positions) values.push_back(c.get()[at]);
      return values;
    };
    return {{"rowmajor", "sgemm", run, sample}};
  });
}

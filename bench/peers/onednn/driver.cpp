// SPDX-License-Identifier: MIT
// Convolutions and matrix products by oneDNN 2: plain NHWC, the layouts that it takes by itself, and Winograd by name.
#include <dnnl.hpp>

#include <memory>
#include <string>
#include <vector>

#include "../driver.h"

#if DNNL_VERSION_MAJOR != 2
#error "this driver is written for oneDNN 2, the last one with Winograd on x86"
#endif

namespace {

using dnnl::memory;
using Dims = memory::dims;
using Floats = std::vector<float>;

dnnl::engine& cpu() {
  static dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& stream() {
  static dnnl::stream stream(cpu());
  return stream;
}

struct Shape {
  int64_t N, C, H, W, OC, KH, KW, stride, pad, groups, OH, OW;

  explicit Shape(std::istream& words) {
    words >> N >> C >> H >> W >> OC >> KH >> KW >> stride >> pad >> groups;
    if (!words) throw peer::Refusal("a convolution has ten numbers");
    OH = (H + 2 * pad - KH) / stride + 1;
    OW = (W + 2 * pad - KW) / stride + 1;
  }

  // convlane's layouts: [N, H, W, C], [KH, KW, C/groups, OC], [N, OH, OW, OC], [OC].
  memory::desc x() const { return image(C, H, W); }
  memory::desc y() const { return image(OC, OH, OW); }
  memory::desc bias() const { return memory::desc({OC}, memory::data_type::f32, memory::format_tag::x); }
  memory::desc w() const {
    const int64_t ic = C / groups, oc = OC / groups;
    if (groups == 1) return memory::desc({OC, C, KH, KW}, memory::data_type::f32, Dims{1, OC, KW * C * OC, C * OC});
    return memory::desc({groups, oc, ic, KH, KW}, memory::data_type::f32, Dims{oc, 1, OC, KW * ic * OC, ic * OC});
  }

 private:
  memory::desc image(int64_t channels, int64_t height, int64_t width) const {
    return memory::desc({N, channels, height, width}, memory::data_type::f32, memory::format_tag::nhwc);
  }
};

void copy(memory& from, memory& to) {
  dnnl::reorder(from, to).execute(stream(), from, to);
  stream().wait();
}

// Random numbers in convlane's layout, brought into the primitive's.
memory input(const memory::desc& plain, const memory::desc& own, uint32_t seed) {
  memory source(plain, cpu()), target(own, cpu());
  peer::fill(static_cast<float*>(source.get_data_handle()), static_cast<int64_t>(plain.get_size() / sizeof(float)), seed);
  copy(source, target);
  return target;
}

struct Output {
  memory::desc plain;
  memory own;
};

peer::Contender contender(const std::string& fmt, const std::string& algo, const dnnl::primitive& primitive,
                          const std::unordered_map<int, memory>& arguments, const std::vector<Output>& outputs) {
  const auto run = [=] {
    primitive.execute(stream(), arguments);
    stream().wait();
  };
  const auto sample = [=](int index, const std::vector<int64_t>& positions) {
    const Output& output = outputs.at(static_cast<size_t>(index));
    memory plain(output.plain, cpu()), own = output.own;
    copy(own, plain);
    Floats values;
    for (const int64_t at : positions) values.push_back(static_cast<const float*>(plain.get_data_handle())[at]);
    return values;
  };
  return {fmt, algo, run, sample};
}

struct Way {
  const char* fmt;
  memory::format_tag images;
  dnnl::algorithm algorithm;
};

const Way kWays[] = {{"nhwc", memory::format_tag::nhwc, dnnl::algorithm::convolution_direct},
                     {"any", memory::format_tag::any, dnnl::algorithm::convolution_direct},
                     {"nChw16c", memory::format_tag::nChw16c, dnnl::algorithm::convolution_direct},
                     {"nChw8c", memory::format_tag::nChw8c, dnnl::algorithm::convolution_direct},
                     {"any", memory::format_tag::any, dnnl::algorithm::convolution_winograd}};

peer::Contender convolution(const std::string& pass, const Shape& s, const Way& way) {
  const auto images = [&](const memory::desc& plain) { return memory::desc(plain.dims(), memory::data_type::f32, way.images); };
  const memory::desc x = images(s.x()), y = images(s.y()), w(s.w().dims(), memory::data_type::f32, memory::format_tag::any), b = s.bias();
  const Dims strides{s.stride, s.stride}, before{s.pad, s.pad};
  const Dims after{(s.OH - 1) * s.stride + s.KH - s.H - s.pad, (s.OW - 1) * s.stride + s.KW - s.W - s.pad};
  const dnnl::convolution_forward::primitive_desc forward(
      {pass == "fwd" ? dnnl::prop_kind::forward_inference : dnnl::prop_kind::forward_training, way.algorithm, x, w, b, y, strides, before, after}, cpu());
  if (pass == "fwd") {
    const memory result(forward.dst_desc(), cpu());
    return contender(way.fmt, forward.impl_info_str(), dnnl::convolution_forward(forward),
                     {{DNNL_ARG_SRC, input(s.x(), forward.src_desc(), 1)},
                      {DNNL_ARG_WEIGHTS, input(s.w(), forward.weights_desc(), 2)},
                      {DNNL_ARG_BIAS, input(b, b, 3)},
                      {DNNL_ARG_DST, result}},
                     {{s.y(), result}});
  }
  if (pass == "bwd_d") {
    const dnnl::convolution_backward_data::primitive_desc backward({way.algorithm, x, w, y, strides, before, after}, cpu(), forward);
    const memory result(backward.diff_src_desc(), cpu());
    return contender(way.fmt, backward.impl_info_str(), dnnl::convolution_backward_data(backward),
                     {{DNNL_ARG_DIFF_DST, input(s.y(), backward.diff_dst_desc(), 1)},
                      {DNNL_ARG_WEIGHTS, input(s.w(), backward.weights_desc(), 2)},
                      {DNNL_ARG_DIFF_SRC, result}},
                     {{s.x(), result}});
  }
  const dnnl::convolution_backward_weights::primitive_desc backward({way.algorithm, x, w, b, y, strides, before, after}, cpu(), forward);
  const memory result(backward.diff_weights_desc(), cpu()), bias(b, cpu());
  return contender(way.fmt, backward.impl_info_str(), dnnl::convolution_backward_weights(backward),
                   {{DNNL_ARG_DIFF_DST, input(s.y(), backward.diff_dst_desc(), 1)},
                    {DNNL_ARG_SRC, input(s.x(), backward.src_desc(), 2)},
                    {DNNL_ARG_DIFF_WEIGHTS, result},
                    {DNNL_ARG_DIFF_BIAS, bias}},
                   {{s.w(), result}, {b, bias}});
}

std::vector<peer::Contender> convolutions(std::istream& words) {
  std::string pass;
  words >> pass;
  const Shape shape(words);
  std::vector<peer::Contender> all;
  for (const Way& way : kWays) {
    const bool blocked = !all.empty() && all.back().fmt == std::string("nChw16c");
    if (blocked && way.images == memory::format_tag::nChw8c) continue;  // blocks of 8 are for processors without AVX-512
    try {
      peer::Contender one = convolution(pass, shape, way);
      if (one.algo.rfind("ref", 0) != 0) all.push_back(std::move(one));  // plain loops, a thousand times slower
    } catch (const dnnl::error& e) {
      if (e.status != dnnl_unimplemented) throw;  // Winograd of this shape, mostly
    }
  }
  return all;
}

std::vector<peer::Contender> product(std::istream& words) {
  std::string pass;
  int64_t M = 0, N = 0, K = 0;
  words >> pass >> M >> N >> K;
  if (!words) throw peer::Refusal("a product has three numbers");
  const auto matrix = [](int64_t rows, int64_t columns) { return memory::desc({rows, columns}, memory::data_type::f32, memory::format_tag::ab); };
  const memory a = input(matrix(M, K), matrix(M, K), 1), b = input(matrix(K, N), matrix(K, N), 2), c(matrix(M, N), cpu());
  const auto floats = [](const memory& m) { return static_cast<float*>(m.get_data_handle()); };
  const auto run = [=] {
    if (dnnl_sgemm('N', 'N', M, N, K, 1.0f, floats(a), K, floats(b), N, 0.0f, floats(c), N) != dnnl_success) throw peer::Refusal("dnnl_sgemm failed");
  };
  const auto sample = [=](int, const std::vector<int64_t>& positions) {
    Floats values;
    for (const int64_t at : positions) values.push_back(floats(c)[at]);
    return values;
  };
  return {{"rowmajor", "sgemm", run, sample}};
}

std::vector<peer::Contender> open(std::istream& words) {
  std::string kind;
  words >> kind;
  if (kind == "conv") return convolutions(words);
  if (kind == "gemm") return product(words);
  throw peer::Refusal("oneDNN does conv and gemm");
}

}  // namespace

int main() {
  const dnnl_version_t* version = dnnl_version();
  return peer::drive("oneDNN " + std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch), open);
}

// The CUDA launchers of a build without CUDA: each answers with a sentence (DeviceError, exit 4).
// SPDX-License-Identifier: Apache-2.0
#include "kernels/op/activation.hpp"
#include "kernels/op/adamw.hpp"
#include "kernels/op/attention.hpp"
#include "kernels/op/bias.hpp"
#include "kernels/op/convolution.hpp"
#include "kernels/op/cross_entropy.hpp"
#include "kernels/op/embedding.hpp"
#include "kernels/op/experts.hpp"
#include "kernels/op/linear.hpp"
#include "kernels/op/matmul.hpp"
#include "kernels/op/memory.hpp"
#include "kernels/op/narrow_matmul.hpp"
#include "kernels/op/norm.hpp"
#include "kernels/op/update.hpp"
#include "runtime/device.hpp"

namespace reckon {
namespace {

template <class Op>
void absent(const Op&, Stream) {
  require_device();
}

}  // namespace

RECKON_LAUNCHERS(cuda, RmsNormForward, absent)
RECKON_LAUNCHERS(cuda, RmsNormBackward, absent)
RECKON_LAUNCHERS(cuda, LayerNormForward, absent)
RECKON_LAUNCHERS(cuda, LayerNormBackward, absent)
RECKON_LAUNCHERS(cuda, GeluForward, absent)
RECKON_LAUNCHERS(cuda, GeluBackward, absent)
RECKON_LAUNCHERS(cuda, SwigluForward, absent)
RECKON_LAUNCHERS(cuda, SwigluBackward, absent)
RECKON_LAUNCHERS(cuda, ResidualAdd, absent)
RECKON_LAUNCHERS(cuda, Copy, absent)
RECKON_LAUNCHERS(cuda, AttentionForward, absent)
RECKON_LAUNCHERS(cuda, AttentionBackward, absent)
RECKON_LAUNCHERS(cuda, SoftmaxForward, absent)
RECKON_LAUNCHERS(cuda, SoftmaxBackward, absent)
RECKON_LAUNCHERS(cuda, CrossEntropyForward, absent)
RECKON_LAUNCHERS(cuda, CrossEntropyBackward, absent)
RECKON_LAUNCHERS(cuda, EmbeddingForward, absent)
RECKON_LAUNCHERS(cuda, EmbeddingBackward, absent)
RECKON_LAUNCHERS(cuda, Rotary, absent)
RECKON_LAUNCHERS(cuda, RouterForward, absent)
RECKON_LAUNCHERS(cuda, RouterBackward, absent)
RECKON_LAUNCHERS(cuda, GatherRows, absent)
RECKON_LAUNCHERS(cuda, CombineRows, absent)
RECKON_LAUNCHERS(cuda, CombineRowsBackward, absent)
RECKON_LAUNCHERS(cuda, BiasAdd, absent)
RECKON_LAUNCHERS(cuda, BiasBackward, absent)
RECKON_LAUNCHERS(cuda, LambApply, absent)
RECKON_LAUNCHERS(cuda, SumOfSquares, absent)
RECKON_LAUNCHERS(cuda, Narrow, absent)
RECKON_LAUNCHERS(cuda, Widen, absent)
RECKON_LAUNCHERS(cuda, LinearForward, absent)
RECKON_LAUNCHERS(cuda, LinearBackward, absent)
RECKON_LAUNCHERS(cuda, ConvolutionForward, absent)
RECKON_LAUNCHERS(cuda, ConvolutionInputGradient, absent)
RECKON_LAUNCHERS(cuda, ConvolutionWeightGradient, absent)
RECKON_PAIR_LAUNCHERS(cuda, Sgd, absent)
RECKON_PAIR_LAUNCHERS(cuda, LambMoments, absent)
RECKON_PAIR_LAUNCHERS(cuda, AdamW, absent)
RECKON_PAIR_LAUNCHERS(cuda, Matmul, absent)
RECKON_LAUNCHER(cuda, Matmul<F16>) { absent(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F16, float>) { absent(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, Bf16>) { absent(op, stream); }
RECKON_LAUNCHER(cuda, Matmul<F8, float>) { absent(op, stream); }

template <class T, class R>
std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<T, R>&, Stream, int) {
  require_device();
  return {};
}
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<float, float>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, Bf16>&, Stream, int);
template std::vector<MatmulAlgorithm> matmul_algorithms(const Matmul<Bf16, float>&, Stream, int);

}  // namespace reckon

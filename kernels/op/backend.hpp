// What every op of a training step has in common: a value that names its shape and operands, its work, and one launcher a backend.
//
// An op's signature is its struct, stated once; `launch<Backend::cuda>(op, stream)` runs it.  The reference is plain loops in double and
// the definition of correct; the others must agree with it within the rounding of their arithmetic (tests/kernels).
// Plain C++17, compiled by nvcc as well.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "kernels/op/element.hpp"
#include "kernels/work/work.hpp"
#include "runtime/device_stream.hpp"

namespace reckon {

enum class Backend { reference, cpu, cuda };

constexpr const char* name_of(Backend backend) {
  return backend == Backend::reference ? "reference" : backend == Backend::cpu ? "cpu" : "cuda";
}

/// Puts the op in the stream; on the CPU backends it is done on return.  Operands of `cuda` are device memory, of the others host memory.
/// Nothing is allocated on the device: ops that need room say so in workspace_size().
/// The same operands give the same bits, whatever the number of threads.
/// Throws InternalError on an op that breaks its own rules, DeviceError when the build, the machine or the launch has no device for it.
template <Backend B, class Op>
void launch(const Op& op, Stream stream);

/// The rules of an op are the caller's promises.
inline void require(bool held, const char* rule) {
  if (!held) throw InternalError(rule);
}

/// Rows that one partial sum of a weight gradient covers are rows / row_chunks: enough chunks to fill a device, few enough to stay
/// small beside the operands.  A function of the shape alone, so that the order of summation never depends on the machine.
constexpr std::int64_t row_chunks(std::int64_t rows) {
  const std::int64_t chunks = (rows + 7) / 8;
  return chunks < 512 ? chunks : 512;
}

}  // namespace reckon

/// A launcher's head: RECKON_LAUNCHER(cpu, Copy<float>) { ... op ... stream ... }
#define RECKON_LAUNCHER(backend, ...) \
  template <>                         \
  void launch<Backend::backend, __VA_ARGS__>([[maybe_unused]] const __VA_ARGS__& op, [[maybe_unused]] Stream stream)

/// Defines the fp32 and bf16 launchers of an op of one type (two types) by one template `function(op, stream)`, after checking the op.
#define RECKON_LAUNCHERS(backend, Op, function)                                   \
  RECKON_LAUNCHER(backend, Op<float>) { op.check(); function(op, stream); }       \
  RECKON_LAUNCHER(backend, Op<Bf16>) { op.check(); function(op, stream); }
#define RECKON_PAIR_LAUNCHERS(backend, Op, function)                              \
  RECKON_LAUNCHER(backend, Op<float>) { op.check(); function(op, stream); }       \
  RECKON_LAUNCHER(backend, Op<Bf16>) { op.check(); function(op, stream); }        \
  RECKON_LAUNCHER(backend, Op<Bf16, float>) { op.check(); function(op, stream); }

/// Declares all launchers of an op of one type, and of two.
#define RECKON_OP(Op)                       \
  RECKON_LAUNCHER(reference, Op<double>);   \
  RECKON_LAUNCHER(reference, Op<float>);    \
  RECKON_LAUNCHER(reference, Op<Bf16>);     \
  RECKON_LAUNCHER(cpu, Op<float>);          \
  RECKON_LAUNCHER(cpu, Op<Bf16>);           \
  RECKON_LAUNCHER(cuda, Op<float>);         \
  RECKON_LAUNCHER(cuda, Op<Bf16>)
#define RECKON_PAIR_OP(Op)                      \
  RECKON_OP(Op);                                \
  RECKON_LAUNCHER(reference, Op<Bf16, float>);  \
  RECKON_LAUNCHER(cpu, Op<Bf16, float>);        \
  RECKON_LAUNCHER(cuda, Op<Bf16, float>)

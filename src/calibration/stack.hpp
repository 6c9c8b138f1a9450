// A software generation: what its kernels fuse and overlap (facts), and how far its run falls short of isolated kernels (six constants).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/quantity.hpp"
#include "calibration/compute.hpp"
#include "catalog/precision.hpp"
#include "catalog/provenance.hpp"

namespace reckon {

/// Facts that the software's documentation or source states.  None of them is fitted.
struct StackFacts {
  std::map<std::string, AttentionKernel> attention;  ///< flash generation by device architecture (ampere, hopper, blackwell, ...)
  bool dropout = false;                              ///< hidden and attention dropout are on in the published runs of this stack
  bool fused_elementwise = true;                     ///< bias + activation, bias + dropout + residual in one kernel each
  bool fused_loss = false;                           ///< one pass cross-entropy; else the fp32 chain of vocabulary-parallel Megatron
  bool fused_wgrad_accumulation = true;              ///< the weight-gradient product adds into the main gradient
  double gradient_bytes = 4;                         ///< accumulated gradient, bytes a parameter
  double bf16_gradient_bytes = 0;      ///< beside those, in bf16 runs: DeepSpeed's BF16_Optimizer accumulates whole fp32 gradients
  double reduced_gradient_bytes = 4;   ///< gradient on the wire
  bool fp16_gradients = false;         ///< fp16 runs accumulate and reduce in fp16 (Megatron-LM forces fp32 accumulation on bf16 runs alone)
  bool flat_gradient_copy = false;     ///< fp16 runs copy their gradients to a flat fp32 buffer for the update (DeepSpeed's ZeRO optimizer)
  double vocabulary_multiple = 1;      ///< rows of the head are padded to a multiple of this times the tensor-parallel ranks (Megatron-LM: 128)
  double gradient_bucket = 0;          ///< bytes of weights whose gradients are reduced in one message; 0 = all in one
  double packed_sequences = 1;         ///< a sample holds so many of the sequences that the published batch sizes of this stack count
  bool low_precision_weights = false;  ///< fp8 runs keep the weights in fp8 alone, the gather of sharded ones moves fp8 (fp8_param_gather)
  double master_bytes = 4;             ///< master weights; 0 = none
  double moment_bytes = 8;             ///< both Adam moments
  bool overlap_tensor = false;         ///< tensor-parallel messages split and overlapped with their products
  bool overlap_backward_tensor = false;  ///< the input-gradient message runs under the weight-gradient product
  bool overlap_gradients = false;        ///< data-parallel reduction under the backward pass
  bool overlap_parameters = false;       ///< parameter all-gather under the forward pass
  bool gathers_by_tensor = false;        ///< sharded parameters are gathered one tensor at a time, not in buckets
  bool balanced_stages = false;          ///< pipeline stages hold equal matrix weights, the head counted; else equal numbers of layers
  bool overlap_pipeline = false;         ///< pipeline messages under compute
  bool overlap_experts = false;          ///< expert all-to-all under compute
  bool fused_dispatch = false;           ///< the expert all-to-all delivers tokens in expert order (DeepEP, HybridEP)
  bool cuda_graphs = false;              ///< no host time between kernels

  // Facts that only some files state; the defaults are those of the frameworks above.
  bool separate_bias = false;            ///< biases before attention and activation are added in a pass of their own
  bool batch_first = false;              ///< activations lie (batch, sequence): nothing is transposed after the embedding
  bool fused_clip = false;               ///< the update scales the gradient itself and nothing is zeroed: one read for the norm is all
  bool reductions_by_layer = false;      ///< gradients and parameters travel layer by layer, not in one message
  bool messages_by_parameter = false;    ///< under sequence parallelism the gradients of norms and biases are summed in a message each
  bool wide_reductions = false;          ///< sums of 16-bit activations travel in fp32
  bool parameter_lists = false;          ///< zero3 moves a parameter as a list of shares, copied one by one, and once more for recomputation
  bool traced = false;                   ///< no runs: a simulator put their steps together from kernels traced one at a time on one device; each takes
                                         ///< host_time at least, messages take none, and nothing is recomputed whatever the file says
  bool synchronous_launches = false;     ///< a launch returns when its kernel has ended (CUDA_LAUNCH_BLOCKING=1): host time comes on top
  bool optimizer_by_tensor = false;      ///< the host walks over the tensors that a rank updates (Megatron-Core's DistributedOptimizer)
  bool fused_batch_norm = false;         ///< convolutions take and apply batch norm's statistics (cuDNN CUDNN_FUSED_SCALE_BIAS_ACTIVATION_CONV_BNSTATS)
  bool in_network_reduction = false;     ///< all-reduces use switches that reduce; NCCL does when told to (NCCL_COLLNET_ENABLE, default 0)
  bool overlap_context = true;           ///< the ring of context ranks moves keys and values under attention
};

/// Bytes of an accumulated gradient, and of one on the wire, in runs of that precision.
inline double gradient_bytes(const StackFacts& facts, Precision p) {
  return facts.fp16_gradients && p == Precision::fp16 ? std::min(2.0, facts.gradient_bytes) : facts.gradient_bytes;
}
inline double reduced_gradient_bytes(const StackFacts& facts, Precision p) {
  return facts.fp16_gradients && p == Precision::fp16 ? std::min(2.0, facts.reduced_gradient_bytes) : facts.reduced_gradient_bytes;
}

/// The fitted constants, shared by all devices and precisions of the stack.  Physical meaning and plausible range beside each.
struct StackConstants {
  double product_slowdown =
      1.0;                       ///< product and attention kernels in the run over the same kernels alone: cold caches, clocks (0.95..1.35)
  double stream_slowdown = 1.0;  ///< memory-bound traffic over the ideal of fused kernels (0.8..3)
  Seconds host_time{5e-6};       ///< host time to launch one kernel; binds where kernels are shorter (1..20 us; under a tracer that runs them one at a time, 20..100 us)
  double tensor_slowdown = 1.0;  ///< model-parallel messages in the run over the same collective alone (0.3 with overlap..2)
  double exposed_data = 0.3;     ///< share of data-parallel communication that overlap does not hide although there is room (0..1)
  double scale_jitter = 0.0;     ///< added share of a step for each doubling of the nodes: stragglers, noise (0..0.03)
};

/// What the measured runs of a stack say about new predictions: residuals of models that the fit did not see.
struct StackResiduals {
  std::int64_t runs = 0;
  double spread = 0;                 ///< mean |ln(measured / predicted)|
  std::int64_t most_devices = 0;     ///< of a run
  std::vector<std::string> devices;  ///< ids
};

struct Stack {
  std::string id, name;
  StackFacts facts;
  StackConstants constants;
  std::vector<std::string> fitted;     ///< names of the constants that were fitted; the others are the defaults
  std::string fit_note;                ///< on which runs, with which residual
  std::vector<std::string> median_of;  ///< a stack without runs of its own: its constants are the medians of these stacks'
  StackResiduals residuals;
  Provenance provenance;
};

/// Runs whose file names a stack too coarsely (one name for three code bases, or for three years of one): the ones whose id holds `id` and
/// whose container begins with `container` ran `stack`.  Empty = any.
struct StackGeneration {
  std::string of;  ///< the name in the file
  std::string id, container;
  std::string stack;  ///< the entry that stands for them
};

/// How the 90 % interval of a step time follows from residuals (plan/interval.hpp).
struct IntervalRule {
  double factor = 2.1;          ///< half width over spread
  double pooled = 0.06;         ///< mean spread of all stacks, that small samples are drawn to
  double unseen_stack = 0.12;   ///< spread where the stack has no runs
  double unseen_device = 0.06;  ///< added in quadrature for a device that the stack has no run of
  double per_doubling = 0.01;   ///< added in quadrature for each doubling beyond the stack's largest run
};

/// All that is known of software stacks.
struct StackTable {
  IntervalRule interval;
  std::map<std::string, Stack> entries;      ///< by id
  std::vector<StackGeneration> generations;  ///< the first that fits a run counts
};

}  // namespace reckon

// A layer of an architecture as one device executes it: its ops with their shapes, its messages, its weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "base/quantity.hpp"
#include "calibration/compute.hpp"
#include "calibration/links.hpp"
#include "catalog/precision.hpp"

namespace reckon {

enum class OpKind { product, attention, stream };

/// What recomputation may drop together.
enum class OpGroup { other, norm, attention_core, latent_up, mlp_product, mlp_activation, expert_product, expert_activation, shared_product, router };

/// One op of one micro-batch on one device.  `times` multiplies everything but the shapes.
struct Op {
  const char* name = "";
  OpKind kind = OpKind::stream;
  OpGroup group = OpGroup::other;
  double times = 1.0;
  Precision precision = Precision::bf16;   ///< of a product
  GemmShape product;                       ///< forward shape; the backward shapes follow from it
  double taps = 1;                         ///< kernel positions of a convolution
  bool has_weight = true;                  ///< a product with a weight has a weight gradient ...
  bool trainable = true;                   ///< ... unless the weight is frozen
  bool needs_input_gradient = true;        ///< false for the very first product of a model
  AttentionShape attention;
  Bytes forward_traffic, backward_traffic; ///< memory-bound part (streams, casts of low-precision products)
  StreamKernel forward_kernel = StreamKernel::copy, backward_kernel = StreamKernel::copy;  ///< what moves it, where that was measured
  double forward_kernels = 1, backward_kernels = 2;
  Bytes saved;                             ///< kept for the backward pass when not recomputed
};

enum class Group { tensor, context, expert, expert_tensor, pipeline, data };

/// One message of one micro-batch.  Counts are per pass.
struct Message {
  Group group = Group::tensor;
  Collective collective = Collective::all_reduce;
  Bytes size;
  double forward = 0, backward = 0, recompute = 0;  ///< how many in each pass (recompute: when the forward is done again in full)
  bool hidden_by_wgrad = false;                     ///< backward count can run under a weight-gradient product
  double visits = 0;        ///< expert dispatch that sends a token once to each place: experts a token visits; 0 = a copy for each expert
  double most_domains = 0;  ///< with visits: domains that routing allows a token
};

struct LoweredLayer {
  std::vector<Op> ops;
  std::vector<Message> messages;
  double blocking_launches = 0;                           ///< host work of a pass, in kernel launches, that the device waits for
  Bytes workspace;                                        ///< alive while the layer runs, beside what is saved
  double parameters = 0, expert_parameters = 0;           ///< on this device
  double trainable = 0, trainable_experts = 0;            ///< of those
  double matrix_parameters = 0;                           ///< of `parameters`, those in products
  Bytes input;                                            ///< the layer's input: all that full recomputation keeps
};

/// The whole model: the kinds of layer, their order, and what sits before and after them.
struct LoweredModel {
  std::vector<LoweredLayer> kinds;
  std::vector<std::uint16_t> order;   ///< kind of each layer
  LoweredLayer before, after;         ///< embedding; final norm, head, loss
  double tied_parameters = 0;         ///< counted in `before` and `after`, reduced between first and last stage
  bool balanced_stages = false;       ///< pipeline stages are cut by matrix weights (stages_of)
  Bytes boundary;                     ///< activation that crosses a pipeline boundary, on one device
};

}  // namespace reckon

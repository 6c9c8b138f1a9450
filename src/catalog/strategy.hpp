// How a run is spread over devices.  Plain data, shared by cost, plan, io and report.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/architecture.hpp"
#include "catalog/precision.hpp"
#include "catalog/problem.hpp"

namespace reckon {

enum class Schedule { none, gpipe, one_f_one_b, interleaved, zb_h1, zb_h2, zb_v, dualpipe };
enum class Sharding { none, zero1, zero2, zero3 };
enum class Recompute { none, selective, modules, full };
enum class AttentionKind { flash, unfused };
enum class Training { pretrain, finetune, lora };
/// Which groups lie next to each other on the machine, innermost first: Megatron's tp-cp-dp-pp, or tp-cp-pp-dp
/// (`--use-tp-pp-dp-mapping`), where a pipeline's stages are neighbours and replicas are far apart.
enum class GroupOrder { data_inside, pipeline_inside };

/// Parts of a layer that `Recompute::modules` may name, as Megatron-Core does.
enum class RecomputeModule { core_attention, mlp, moe, moe_act, layernorm, mla_up_proj, shared_experts };

/// One parallel strategy.  tensor * pipeline * context * data = devices; expert divides tensor * context * data.
struct Strategy {
  std::int64_t tensor_parallel = 1, pipeline_parallel = 1, context_parallel = 1, expert_parallel = 1, data_parallel = 1;
  std::int64_t expert_tensor_parallel = 0;  ///< 0 = as tensor_parallel
  std::int64_t virtual_stages = 1;
  Schedule schedule = Schedule::none;
  bool sequence_parallel = false;
  Sharding sharding = Sharding::none;
  std::int64_t shard_group_size = 0;  ///< ranks that share one copy of the sharded state; 0 = all of data * context
  Recompute recompute = Recompute::none;
  std::int64_t recompute_layers = 0;  ///< with full: only so many layers of a stage; 0 = all
  std::vector<RecomputeModule> recompute_modules;
  std::int64_t micro_batch_size = 1, global_batch_size = 1;
  std::int64_t first_stage_layers = 0, last_stage_layers = 0;  ///< of an uneven pipeline, both or neither; 0 = the stack's own division
  GroupOrder order = GroupOrder::data_inside;
  bool offload_activations = false;  ///< saved activations move to the host over PCIe and come back for the backward pass
  bool offload_optimizer = false;    ///< master weights and moments live on the host and stream through the device once a step
  Precision precision = Precision::bf16;
  AttentionKind attention = AttentionKind::flash;

  std::int64_t num_devices() const { return tensor_parallel * pipeline_parallel * context_parallel * data_parallel; }
  /// Micro-batches that one pipeline handles in a step.
  std::int64_t num_micro_batches() const { return global_batch_size / (data_parallel * micro_batch_size); }
  std::int64_t expert_tensor() const { return expert_tensor_parallel > 0 ? expert_tensor_parallel : tensor_parallel; }
};

/// Names as files and flags spell them, e.g. `interleaved-1f1b`, `zb-1p`, `zero3`, `core_attn`.
std::string_view name_of(Schedule v);
std::string_view name_of(Sharding v);
std::string_view name_of(Recompute v);
std::string_view name_of(AttentionKind v);
std::string_view name_of(Training v);
std::string_view name_of(RecomputeModule v);
std::string_view name_of(GroupOrder v);
/// The value of a name; nothing when the name is unknown.  `zb-h1` and `zb-h2` are accepted for `zb-1p` and `zb-2p`.
std::optional<Schedule> schedule_of(std::string_view name);
std::optional<Sharding> sharding_of(std::string_view name);
std::optional<Recompute> recompute_of(std::string_view name);
std::optional<AttentionKind> attention_of(std::string_view name);
std::optional<Training> training_of(std::string_view name);
std::optional<RecomputeModule> recompute_module_of(std::string_view name);
std::optional<GroupOrder> group_order_of(std::string_view name);

/// `tp8 pp4 vp2 cp1 ep1 dp64 mb1 zero1 interleaved-1f1b sp selective`: short, stable, one line.
/// Always tp, pp, vp, cp, ep, dp, mb and the sharding (`zero0` = none); schedule, sp, recompute (with its layers or modules), expert
/// tensor degree, shard group, uneven ends, order and offload only where they are used.
std::string describe(const Strategy& strategy);

/// The rules that `strategy` breaks on `num_devices` devices, in the order of its fields; empty when it is sound.
///
///   tensor * pipeline * context * data == num_devices        every degree, micro- and global batch >= 1
///   global_batch % (data * micro_batch) == 0                 tensor * context * data % expert (* expert_tensor, if given) == 0
///   pipeline > 1 has a schedule; virtual stages go with a pipeline and interleaving (2 of them also with zb-v and dualpipe)
///   shard_group_size divides data * context                  modules are named exactly with `recompute: modules`
///
/// All products are exact: an overflow is a broken rule, not a wrapped number.
Problems problems(const Strategy& strategy, std::int64_t num_devices);

/// The rules between a strategy and the transformer it splits: heads, ffn and experts divide, a sequence divides over context (and
/// tensor, with sequence parallelism), and no pipeline stage is left empty.  The embedding and the head count as a layer each, as
/// Megatron-Core's account_for_embedding_in_pipeline_split does.  Key/value heads may be fewer than tensor ranks (they are replicated).
Problems problems(const Strategy& strategy, const Transformer& transformer);

/// Throws UsageError with the first broken rule of either list.
void validate(const Strategy& strategy, std::int64_t num_devices);
void validate(const Strategy& strategy, std::int64_t num_devices, const Transformer& transformer);

}  // namespace reckon

// SPDX-License-Identifier: Apache-2.0
#include "report/prediction_report.hpp"

#include <fmt/format.h>

#include "report/numbers.hpp"
#include "report/parts_report.hpp"

namespace reckon {

std::string prediction_report(const PlanQuestion& q, const PlanPoint& p, Bytes host, const std::vector<Assumption>& assumptions) {
  const Bytes needed = p.cost.memory.total(), usable = q.usable_memory();
  const DisplayUnit step = duration_unit({p.cost.time.total().base()});
  std::string out =
      fmt::format("{} on {} x {} as {}: {} {} a step, {} {}/s, MFU {} %.\n", q.model, grouped(p.devices), q.device_name,
                  describe(p.strategy), significant(p.cost.time.total().base() / step.size), step.name,
                  significant(p.projection.throughput.base()), q.counts_tokens ? "tokens" : "samples", significant(100 * p.cost.mfu));
  out += p.cost.fits(usable)
             ? fmt::format("It fits: {} GiB of {} GiB on the fullest device (pipeline stage {}).\n", significant(needed.in(gibibytes)),
                           significant(usable.in(gibibytes)), p.cost.peak_stage)
             : fmt::format("It does NOT fit: {} GiB of {} GiB on the fullest device (pipeline stage {}), {} GiB too much.\n",
                           significant(needed.in(gibibytes)), significant(usable.in(gibibytes)), p.cost.peak_stage,
                           significant((needed - usable).in(gibibytes)));
  if (p.cost.host > Bytes{})
    out += fmt::format("The host keeps {} GiB for a device{}.\n", significant(p.cost.host.in(gibibytes)),
                       p.cost.host <= host ? "" : fmt::format(", which does NOT fit: a device's share of its memory is {} GiB", significant(host.in(gibibytes))));
  out += fmt::format("{} parameters; {} model FLOP a step; {} micro-batches of {} in each pipeline.\n\n", count_text(p.cost.parameters),
                     fmt::format("{:.3g}", p.cost.model_flops.base()), grouped(p.strategy.num_micro_batches()),
                     grouped(p.strategy.micro_batch_size));
  const std::vector<PartsColumn> column{{grouped(p.devices) + " devices", &p}};
  out += step_time_report(column, step) + "\n" + memory_report(column);
  return out + assumptions_report(assumptions);
}

}  // namespace reckon

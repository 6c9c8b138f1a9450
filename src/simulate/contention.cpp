// SPDX-License-Identifier: Apache-2.0
#include "simulate/contention.hpp"

#include "simulate/shared_step.hpp"

namespace reckon {
Contention simulate_contention(const Job& job, const ClusterLayout& layout) {
  Cluster open = *job.cluster;
  open.fabric.oversubscription = 1.0;
  Job alone = job;
  alone.cluster = &open;
  const StepPlan plan = step_plan(alone);
  const StepSimulation calm = simulate_step(plan);
  const LinkUse links(job, plan.shape, layout);
  const double unshared = simulate_shared(plan, calm, links, *job.links, Sharing::none).seconds;
  const auto added = [&](double length) {
    const double more = length - unshared;
    return more > 1e-9 * unshared ? more : 0.0;  // less is rounding
  };

  Contention out;
  out.added_model = added(simulate_shared(plan, calm, links, *job.links, Sharing::model_parallel).seconds);
  out.added_data = added(simulate_shared(plan, calm, links, *job.links, Sharing::data_parallel).seconds);
  const SharedStep all = simulate_shared(plan, calm, links, *job.links, Sharing::all);
  out.added = added(all.seconds);
  out.reduce_end = all.reduce_end;
  out.gather = all.gather;
  for (int s = 0; s < num_streams; ++s)
    if (all.use[s].alone > 0 && static_cast<Stream>(s) != Stream::host)
      out.messages.push_back({static_cast<Stream>(s), all.use[s].slowdown()});
  for (const ClassLoad& load : all.loads) out.loads.push_back({links.class_name(load.link), load.bytes, load.share});
  return out;
}

}  // namespace reckon

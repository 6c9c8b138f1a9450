// reckon calibrate: measures this machine and writes what predictions read.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "app/command.hpp"
#include "app/model_shapes.hpp"
#include "app/progress.hpp"
#include "app/together.hpp"
#include "app/version.hpp"
#include "io/atomic_file.hpp"
#include "io/machine_calibration_files.hpp"
#include "measure/compute_run.hpp"
#include "measure/link_run.hpp"
#include "measure/machine.hpp"
#include "measure/storage_run.hpp"
#include "report/calibration_report.hpp"
#include "runtime/device.hpp"
#include "runtime/device_monitor.hpp"
#include "train/threads.hpp"

namespace reckon {
namespace {

constexpr int wake_tag = 11;
const std::vector<std::string> all_parts{"compute", "links", "storage"};

struct Request {
  std::string out, device, folder;
  std::vector<std::string> parts;
  Backend backend = Backend::cpu;
  bool quick = false, force = false;
  std::int64_t threads = 0, largest_message = 0, storage_bytes = 0, passes = 1, patience = 0;
  std::vector<Precision> precisions;
  measure::ClockKind clock = measure::ClockKind::wall;
  KernelShapes shapes;  ///< of the user's models

  bool wants(const char* part) const { return std::find(parts.begin(), parts.end(), part) != parts.end(); }
};

Request read_request(const ParsedOptions& options, const MpiSession& session) {
  Request r;
  r.out = options.text("out");
  r.force = options.flag("force");
  if (session.is_root()) check_target(r.out, r.force);
  r.quick = options.flag("quick");
  r.parts = options.list("parts", all_parts);
  for (const std::string& name : options.list("precisions", {"fp32", "bf16"})) r.precisions.push_back(*precision_of(name));
  r.passes = options.given("passes") ? options.count("passes", 1, 100) : r.quick ? 1 : 3;
  r.patience = options.given("patience") ? options.count("patience", 0, 86400) : r.quick ? 0 : 60;
  if (!options.given("folder")) std::erase(r.parts, "storage");
  r.folder = options.find("folder").value_or("");
  r.backend = options.choice("backend", {"cpu", "cuda"}) == "cuda" ? Backend::cuda : Backend::cpu;
  r.clock = options.choice("clock", {"wall", "processor"}) == "wall" ? measure::ClockKind::wall : measure::ClockKind::processor;
  r.threads = options.given("threads") ? options.count("threads", 1, 4096) : 0;
  r.largest_message = std::int64_t(options.quantity<Bytes>("largest-message").base());
  if (r.largest_message < 1024 || r.largest_message > (std::int64_t{1} << 30))
    options.fail("largest-message", "is out of range", "give from 1 KiB to 1 GiB");
  r.storage_bytes = std::int64_t(options.quantity<Bytes>("storage-size").base());
  if (r.storage_bytes < 4096 || r.storage_bytes > (std::int64_t{1} << 36))
    options.fail("storage-size", "is out of range", "give from 4 KiB to 64 GiB");
  if (r.backend == Backend::cuda) {
    require_device();
    r.device = options.text("device");
    if (options.given("patience")) options.fail("patience", "is for processors: a device has clocks of its own", "leave it away");
    if (r.clock == measure::ClockKind::processor) options.fail("clock", "a device's work takes no processor time", "leave it away");
  } else {
    if (options.given("device")) options.fail("device", "goes with --backend cuda", "leave it away: processors are a place of their own");
    r.device = "cpu";
  }
  const bool device = r.backend == Backend::cuda;
  const Flops most{device ? 0x1p47 : 0x1p37};  // about a second, and what every rank of a node may hold twice
  const Bytes room{device ? 0x1p34 : 0x1p30};
  r.shapes = read_model_shapes(options, r.precisions.front(), most, room);
  return r;
}

/// Ranks of one thread that share processors take turns: all of them measure at once, by the time that each has a processor, so that they push
/// each other out of its caches as in a step.
bool take_turns(const Request& r, const MpiSession& session) {
  const bool own = r.backend != Backend::cuda && r.threads == 1 && session.ranks_take_turns();
  return session.all_reduce_max(own ? 1 : 0) > 0;  // nodes may differ, ranks must not
}

/// The ranks that measure at once: all where they take turns, else as many as there are processors for; the others sleep, so that nobody shares
/// a processor.
int ranks_at_work(const Request& r, const MpiSession& session) {
  if (take_turns(r, session) || r.backend == Backend::cuda) return session.size();
  return session.all_reduce_max(std::clamp(session.node_processors() / int(r.threads), 1, session.size()));
}

/// Work of the first `crew` ranks; the rest look every 5 ms whether it is over.
template <class Work>
void while_others_sleep(const Communicator& world, int crew, const Work& work) {
  if (crew == world.size()) return work(world);
  const Communicator part = world.split(world.rank() < crew ? 0 : 1, world.rank());
  char failed = 0;
  if (world.rank() < crew) {
    std::exception_ptr failure;
    try {
      work(crew == 1 ? Communicator() : part);
    } catch (...) {
      failure = std::current_exception();
      failed = 1;
    }
    if (world.rank() == 0)
      for (int sleeper = crew; sleeper < world.size(); ++sleeper) world.send(&failed, 1, sleeper, wake_tag).wait();
    if (failure) std::rethrow_exception(failure);
    return;
  }
  PendingMessage wake = world.receive(&failed, 1, 0, wake_tag);
  while (!wake.arrived()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  if (failed != 0) throw DeviceError("another rank could not measure");
}

/// Every list of `passes` holds the same measurements: their summaries, list by list.
Samples merged(const std::vector<Samples>& passes, double compute_width, double link_width) {
  Samples out = passes.front();
  const auto merge = [&](auto Samples::*list, double width) {
    for (std::size_t i = 0; i < (out.*list).size(); ++i) {
      std::vector<Timed> times;
      for (const Samples& pass : passes) times.push_back((pass.*list)[i].time);
      (out.*list)[i].time = measure::over_passes(std::move(times), width);
    }
  };
  merge(&Samples::gemm, compute_width);
  merge(&Samples::attention, compute_width);
  merge(&Samples::streams, compute_width);
  merge(&Samples::links, link_width);
  return out;
}

/// A processor whose pace is a tenth and more behind its best shares its core or its clock has fallen: worth waiting for, but not for
/// ever.  A device has clocks of its own.
std::shared_ptr<measure::Pace> pace_of(const Request& r) {
  constexpr double tolerance = 0.1;
  return r.backend == Backend::cuda ? nullptr : std::make_shared<measure::Pace>(tolerance, Seconds{double(r.patience)});
}

void measure_parts(const Request& r, const MpiSession& session, MachineCalibration& machine, bool quiet) {
  const Communicator world = Communicator::world();
  measure::ComputePlan compute = r.quick                      ? measure::quick_compute_plan()
                                 : r.backend == Backend::cuda ? measure::device_compute_plan()
                                                              : measure::ComputePlan{};
  compute.precisions = r.precisions;
  compute.products = r.shapes.products;
  compute.attentions = r.shapes.attention;
  measure::LinkPlan links = measure::link_plan(r.largest_message, r.quick);
  if (r.quick) links.rules.at_most = Seconds{0.02}, links.rules.too_wide = 2.0;
  links.ranks_per_processor = std::max(1.0, double(session.node_ranks()) * double(r.threads) / double(session.node_processors()));
  measure::Rules rules;
  rules.clock = r.clock;
  rules.pace = pace_of(r);
  links.rules.pace = pace_of(r);
  if (r.quick) rules.at_most = Seconds{0.005}, rules.too_wide = 1.0;  // a first look takes what it gets
  const std::int64_t total =
      (r.wants("compute") ? measure::count_of(compute) : 0) + (r.wants("links") ? measure::count_of(links, session.size()) : 0);
  Progress progress("calibrating", "measurements", total * r.passes, quiet || !session.is_root());
  const auto advance = [&] { progress.advance(); };
  std::vector<Samples> passes(std::size_t(r.passes));
  for (Samples& pass : passes) {
    if (r.wants("compute")) {
      while_others_sleep(world, ranks_at_work(r, session), [&](const Communicator& crew) {
        const measure::Bench bench(r.backend, crew, rules);
        measure::measure_compute(bench, compute, pass, advance);
      });
    }
    if (r.wants("links") && session.size() > 1) measure::measure_links(world, links, pass, advance);
  }
  Samples& samples = machine.samples;
  samples = merged(passes, rules.too_wide, links.rules.too_wide);
  if (r.wants("links")) measure::measure_overlap(world, links.rules, samples);
  if (r.wants("storage")) measure::measure_storage(world, r.folder, std::size_t(r.storage_bytes), samples);
  const auto& judge = r.wants("compute") ? rules.pace : links.rules.pace;  // messages also wait for other ranks
  if (judge && judge->best() < Seconds{1}) machine.pace = judge->best(), machine.slow_share = judge->slow_share();
}

MachineCalibration describe_machine(const Request& r, const MpiSession& session) {
  MachineCalibration m;
  const measure::Machine here = measure::this_machine();
  m.device = r.device;
  m.processor = here.processor;
  m.processors = session.node_processors();
  m.clock = here.clock;
  m.memory = here.memory;
  m.cache = here.cache;
  m.date = measure::today();
  m.ranks = session.size();
  m.threads = r.threads;
  m.clock_kind = r.clock == measure::ClockKind::wall ? "wall" : "processor";
  const Version v = version();
  m.software = {{"reckon", v.number + " " + commit_text()}, {"compiler", v.compiler}, {"mpi", v.mpi}};
  if (r.backend == Backend::cuda) {
    const DeviceInventory inventory = device_inventory();
    const LocalDevice& d = inventory.devices.front();
    m.processor = d.name;
    m.processors = std::int64_t(inventory.devices.size());
    m.clock = DeviceMonitor().reading(d.pci_bus_id).clock.value_or(d.clock);
    m.memory = d.memory;
    m.cache = d.l2_cache;
    m.software["driver"] = inventory.driver_package;
    m.software["cuda"] = cuda_version_text(inventory.runtime.value_or(0));
  }
  return m;
}

}  // namespace

CommandSpec calibrate_spec() {
  return {"calibrate",
          "measures this machine: compute, memory, messages between ranks, storage",
          {"reckon calibrate --quick --out quick-calibration.json --force --json",
           "reckon calibrate --quick --out gpt2-calibration.json --force --model gpt2 --seq-len 64 --mb 1,2 --tp 1,2,4"},
          {{"What is measured",
            {{.name = "backend", .argument = "NAME", .fallback = "cpu", .help = "cpu, cuda"},
             {.name = "device", .argument = "NAME", .help = "with cuda: the device's id in 'reckon catalog devices', e.g. h200-sxm-141gb"},
             {.name = "threads", .argument = "N", .help = "threads of a rank [default: the node's processors over its ranks]"},
             {.name = "parts",
              .argument = "LIST",
              .fallback = "compute,links,storage",
              .help = "compute, links (from two ranks on), storage (with --folder)"},
             {.name = "precisions", .argument = "LIST", .fallback = "fp32,bf16", .help = "of the products and kernels"},
             {.name = "passes",
              .argument = "N",
              .help = "times that everything is measured, one round after the other [default: 3; 1 with --quick]"},
             {.name = "patience",
              .argument = "SECONDS",
              .help = "to wait for moments in which nothing else slows the processors, of compute and of messages each [default: 60; 0 with --quick]"},
             {.name = "folder", .argument = "FOLDER", .help = "where checkpoints would be written: its storage is measured too"},
             {.name = "storage-size", .argument = "SIZE", .fallback = "64 MiB", .help = "written and read by each rank"},
             {.name = "largest-message", .argument = "SIZE", .fallback = "16 MiB", .help = "between ranks"},
             {.name = "quick", .help = "a few points of everything: a first look in seconds"},
             {.name = "clock",
              .argument = "NAME",
              .fallback = "wall",
              .help = "wall, or processor: time that other programs take does not count (compute of one thread; always so for ranks that take turns)"}}},
           model_shape_options(),
           {"Output",
            {{.name = "out", .argument = "FILE", .help = "the calibration, for --calibration of plan and predict"},
             {.name = "force", .help = "replace the file", .letter = 'f'},
             {.name = "json", .help = "the calibration on stdout too"},
             {.name = "quiet", .help = "no progress", .letter = 'q'},
             {.name = "allow-singleton", .help = "run although other processes were started without MPI"}}}},
          {},
          "Products and attention are measured over a grid of sizes; a prediction is surest where the sizes were measured themselves, which is what --model is for. "
          "'mpiexec -n 4 reckon calibrate --out machine.json' measures the machine as four ranks use it: compute on as many ranks at once "
          "as there are "
          "processors, or on all where ranks of one thread take turns, messages among all. Every operation's result is checked before it is timed. Measurements are repeated until the "
          "median is known "
          "to 2 % (messages: 4 %) or their time is up, in three rounds, so that a slow minute of the machine does not decide; while "
          "a fixed piece of arithmetic runs over 10 % slower than at its best they wait, and what was measured around it is taken again, until --patience "
          "is gone; what scatters by more than "
          "15 % (30 %) is kept in the file but not fitted. Exit code 4 when a "
          "result is wrong, 7 when too little was stable to fit."};
}

CommandResult run_calibrate(const ParsedOptions& options, const MpiSession& session) {
  Request r;
  together(session, [&] { r = read_request(options, session); });
  train::prepare_heap();
  if (r.threads == 0) r.threads = train::usual_threads(session.node_processors(), session.node_ranks());
  train::set_threads(int(r.threads));
  if (take_turns(r, session)) r.clock = measure::ClockKind::processor;
  MachineCalibration machine = describe_machine(r, session);
  measure_parts(r, session, machine, options.flag("quiet"));
  std::string text;
  together(session, [&] {
    if (!session.is_root()) return;
    const double multiprocessors = r.backend == Backend::cuda ? double(device_inventory().devices.front().multiprocessors) : 1.0;
    fit_machine(machine, {}, multiprocessors);
    const bool fitted = machine.compute && std::any_of(all_precisions.begin(), all_precisions.end(),
                                                       [&](Precision p) { return machine.compute->compute.supports(p); });
    if (r.wants("compute") && !fitted)
      throw CalibrationError("too few products were stable enough to be fitted", "measure when the machine has nothing else to do");
    if (!machine.compute && !machine.links)
      throw CalibrationError("nothing to fit was measured", "measure compute, or links between two ranks or more");
    text = write_machine_calibration(machine);
    write_file(r.out, text, r.force, [](const std::filesystem::path& temporary) { read_machine_calibration(temporary); });
  });
  if (!session.is_root()) return {};
  return {options.flag("json") ? text : calibration_report(machine, r.out)};
}

}  // namespace reckon

// Output of nccl-tests and OSU benchmarks in their documented forms (sample files written by hand), and damaged ones.
// SPDX-License-Identifier: Apache-2.0
#include "io/link_imports.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace reckon {
namespace {

const std::string nccl_text = R"(# nccl-tests version 2.17.6 nccl-headers=22807 nccl-library=22807
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 1 minBytes 8 maxBytes 1048576 step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 0 unalign: 0
#
# Using devices
#  Rank  0 Group  0 Pid  40011 on      node1 device  0 [0000:19:00] NVIDIA H100 80GB HBM3
#  Rank  1 Group  0 Pid  40012 on      node1 device  1 [0000:3b:00] NVIDIA H100 80GB HBM3
#
#                                                              out-of-place                       in-place          
#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong 
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  (GB/s)         
NCCL version 2.28.7+cuda12.9
           0             0     float     sum      -1     0.10    0.00    0.00       0     0.10    0.00    0.00       0
        1024           256     float     sum      -1    12.50    0.08    0.08       0    12.10    0.08    0.08       0
     1048576        262144     float     sum      -1    20.00   52.43   52.43       0    21.00   49.93   49.93     N/A
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 26.3 
)";

TEST(LinkImports, NcclText) {
  const ImportedLinks links = import_links(nccl_text, "a.txt", {});

  EXPECT_EQ(links.program, "nccl-tests");
  EXPECT_EQ(links.device, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(links.hosts, 1);
  ASSERT_EQ(links.samples.size(), 2u);
  EXPECT_EQ(links.samples[0].collective, Collective::all_reduce);
  EXPECT_EQ(links.samples[0].ranks, 2);
  EXPECT_NEAR(links.samples[0].time.median.in(microseconds), 12.10, 1e-9);  // the faster of the two
  EXPECT_EQ(links.samples[1].size.base(), 1048576);
  EXPECT_NEAR(links.samples[1].time.median.in(microseconds), 20.0, 1e-9);
}

TEST(LinkImports, NcclJson) {
  const std::string text =
      R"({"version":2,"start_time":"2026-11-01 10:00:00","args":["./build/reduce_scatter_perf","-J","x.json"],"env":[],"nccl_version":22807,
    "config":{"nthreads":1,"ngpus":1,"devices":[{"rank":0,"group":0,"pid":1,"hostname":"a","device":0,"device_hex":"0000:19:00","device_info":"NVIDIA H200"},
    {"rank":1,"group":0,"pid":2,"hostname":"a","device":1,"device_hex":"0000:3b:00","device_info":"NVIDIA H200"}]},
    "results":[{"size":4096,"count":512,"type":"float","redop":"sum","root":"    -1","out_of_place":{"time":11.5,"alg_bw":0.3,"bus_bw":0.1,"nwrong":0.0},
    "in_place":{"time":11.0,"alg_bw":0.3,"bus_bw":0.1,"nwrong":null},"actual_iterations":20,"experiment_name":"x"}],"out_of_bounds":{"count":0,"okay":"true"}})";

  const ImportedLinks links = import_links(text, "a.json", {});

  ASSERT_EQ(links.samples.size(), 1u);
  EXPECT_EQ(links.samples[0].collective, Collective::reduce_scatter);
  EXPECT_EQ(links.samples[0].ranks, 2);
  EXPECT_NEAR(links.samples[0].time.median.in(microseconds), 11.0, 1e-9);
  EXPECT_EQ(links.device, "NVIDIA H200");
}

TEST(LinkImports, OsuText) {
  const std::string all_gather =
      "\n# OSU MPI Allgather Latency Test v7.4\n# Datatype: MPI_CHAR.\n# Size       Avg Latency(us)\n1                       1.50\n1024    "
      "                4.25\n";
  const ImportedLinks links = import_links(all_gather, "osu.txt", {.ranks = 8});
  ASSERT_EQ(links.samples.size(), 2u);
  EXPECT_EQ(links.samples[1].collective, Collective::all_gather);
  EXPECT_EQ(links.samples[1].size.base(), 8192);  // 1024 B from each of 8 ranks

  const ImportedLinks latency = import_links("# OSU MPI Latency Test v7.4\n# Size          Latency (us)\n8      0.95\r\n", "osu.txt", {});
  EXPECT_EQ(latency.samples.at(0).collective, Collective::point_to_point);
  EXPECT_EQ(latency.samples.at(0).ranks, 2);
  EXPECT_NEAR(latency.samples.at(0).time.median.in(microseconds), 0.95, 1e-12);

  const ImportedLinks reduce = import_links(
      "# OSU MPI Allreduce Latency Test v5.9\n# Size       Avg Latency(us)   Min Latency(us)   Max Latency(us)  Iterations\n4 2.1 2.0 2.2 "
      "1000\n",
      "o", {.ranks = 4});
  EXPECT_EQ(reduce.samples.at(0).collective, Collective::all_reduce);
}

/// The message for a text that must be refused.
std::string refusal(const std::string& text, const ImportHints& hints = {}) {
  try {
    import_links(text, "file.txt", hints);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}
std::string with(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.find(from), from.size(), to);
}

TEST(LinkImports, DamagedAndStrangeFilesAreRefusedWithTheirPlace) {
  EXPECT_NE(refusal("").find("empty"), std::string::npos);
  EXPECT_NE(refusal("hello\n").find("neither"), std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "12.50", "fast")).find("file.txt:14"), std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "12.50", "nan")).find("nan"), std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "12.50", "-12.5")).find("cannot use"), std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "12.50    0.08    0.08       0", "12.50    0.08    0.08       3")).find("wrong results"),
            std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "256     float     sum", "256")).find("columns"), std::string::npos);
  EXPECT_NE(refusal(nccl_text.substr(0, nccl_text.find("NCCL version"))).find("no measurement"), std::string::npos);
  EXPECT_NE(refusal(with(nccl_text, "all_reduce_perf", "mystery_perf")).find("--operation"), std::string::npos);
  EXPECT_NE(refusal("# OSU MPI Allreduce Latency Test\n8 1.0\n").find("--ranks"), std::string::npos);
  EXPECT_NE(refusal("# OSU MPI Bandwidth Test\n8 1.0\n").find("bandwidth"), std::string::npos);
  EXPECT_NE(refusal("# OSU MPI Allreduce Latency Test\n8\n", {.ranks = 2}).find("one column"), std::string::npos);
  EXPECT_NE(refusal("{\"results\": [{\"size\": -1}]}").find("/results/0/size"), std::string::npos);
  EXPECT_NE(refusal("{\"results\": [").find("file.txt"), std::string::npos);
}

}  // namespace
}  // namespace reckon

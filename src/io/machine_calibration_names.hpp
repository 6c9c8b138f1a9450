// Names of parameters in a machine's calibration file, for reading and writing alike.  Internal to src/io.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "calibration/machine_calibration.hpp"

namespace reckon {

inline constexpr const char* machine_calibration_format = "reckon/calibration/1";

inline constexpr std::array<std::pair<Collective, std::string_view>, num_collectives> collective_keys{{{Collective::all_reduce, "all_reduce"},
                                                                                                       {Collective::all_gather, "all_gather"},
                                                                                                       {Collective::reduce_scatter, "reduce_scatter"},
                                                                                                       {Collective::all_to_all, "all_to_all"},
                                                                                                       {Collective::broadcast, "broadcast"},
                                                                                                       {Collective::point_to_point, "point_to_point"}}};

struct GemmNumber {
  const char* key;
  double GemmParameters::*field;
  double least, most;
};
inline constexpr GemmNumber gemm_numbers[] = {{"multiprocessors", &GemmParameters::multiprocessors, 1, 1e6},
                                              {"tile_penalty", &GemmParameters::tile_penalty, 0, 0.999},
                                              {"k_overhead", &GemmParameters::k_overhead, 0, 1e9},
                                              {"wave_quantisation", &GemmParameters::wave_quantisation, 0, 1},
                                              {"split_overhead", &GemmParameters::split_overhead, 0, 1e9},
                                              {"operand_bytes", &GemmParameters::operand_bytes, 0.1, 16},
                                              {"result_bytes", &GemmParameters::result_bytes, 0.1, 16},
                                              {"misalignment", &GemmParameters::misalignment, 1, 100}};

struct AttentionNumber {
  const char* key;
  double AttentionParameters::*field;
  double least, most;
};
inline constexpr AttentionNumber attention_numbers[] = {{"wide_head_penalty", &AttentionParameters::wide_head_penalty, 0, 100},
                                                        {"wide_head_from", &AttentionParameters::wide_head_from, 0, 1e4},
                                                        {"key_overhead", &AttentionParameters::key_overhead, 0, 1e9},
                                                        {"wave_quantisation", &AttentionParameters::wave_quantisation, 0, 1},
                                                        {"query_tile", &AttentionParameters::query_tile, 1, 4096},
                                                        {"key_tile", &AttentionParameters::key_tile, 1, 4096},
                                                        {"multiprocessors", &AttentionParameters::multiprocessors, 1, 1e6}};

struct PathName {
  const char* key;
  PathCost DomainLinks::*field;
};
inline constexpr PathName fitted_paths[] = {{"ring", &DomainLinks::bulk}, {"all_to_all", &DomainLinks::all_to_all}, {"point_to_point", &DomainLinks::point_to_point}};

}  // namespace reckon

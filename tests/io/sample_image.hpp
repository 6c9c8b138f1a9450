// A small results file with every construct that Hdf5Image can write.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>

#include "io/hdf5_image.hpp"

namespace reckon {

inline Hdf5Image sample_image() {
  Hdf5Image image("sample.h5");
  image.attribute("/", "software", std::string("reckon"));
  image.attribute("/", "seed", std::int64_t{7});
  image.attribute("/", "share", 0.25);
  image.attribute("/", "authors", std::vector<std::string>{"a", "b\xc3\xa9"});
  image.text("/inputs/model", "{\"name\": \"x\"}\n", "the architecture as given");

  image.scale("/sweep/devices", std::vector<std::int64_t>{8, 16, 32}, {.units = "1", .long_name = "number of devices", .dimensions = {}});
  image.scale("/sweep/tensor", std::vector<std::int64_t>{1, 2}, {.units = "1", .long_name = "tensor parallel", .dimensions = {}});
  image.dataset("/sweep/step_time", std::vector<double>{1, 2, 3, 4, NAN, 6},
                {.units = "s", .long_name = "step time", .dimensions = {"/sweep/devices", "/sweep/tensor"}, .may_be_missing = true});
  image.flags("/sweep/feasible", std::vector<std::int8_t>{0, 1, 1}, {"no", "yes"}, {.units = "1", .long_name = "fits in memory", .dimensions = {"/sweep/devices"}});
  image.attribute("/sweep", "note", std::string("a grid"));

  image.scale("/parts/part", std::vector<std::string>{"compute", "\xe2\x82\xac", ""}, {.units = "1", .long_name = "part of the step", .dimensions = {}});
  image.dataset("/parts/time", std::vector<double>{0.5, 0.25, 0.125}, {.units = "s", .long_name = "time", .dimensions = {"/parts/part"}});
  image.dataset("/parts/rank", std::vector<std::int64_t>{3, -1, 5},
                {.units = "1", .long_name = "slowest rank", .dimensions = {"/parts/part"}, .may_be_missing = true, .comment = "-1 = none"});
  image.dataset("/parts/source", std::vector<std::string>{"measured", "modelled", "measured"}, {.units = "1", .long_name = "source", .dimensions = {"/parts/part"}});

  std::vector<double> many(40'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = std::sqrt(static_cast<double>(i));
  image.dataset("/long/roots", many, {.units = "1", .long_name = "more than two chunks", .dimensions = {}});
  image.dataset("/long/nothing", std::vector<double>{}, {.units = "s", .long_name = "no values", .dimensions = {}});
  return image;
}

}  // namespace reckon

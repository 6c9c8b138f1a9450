// A Hugging Face config.json, unchanged, as an Architecture.
//
// Read: transformers' config.json of the families in known_model_types() (text towers of multi-modal files too), diffusers' U-Net
// config.json, transformers' ResNet.  Field names and traps are those of the configuration classes of huggingface/transformers 4.57 and
// diffusers 0.35; files of older versions and the first remote-code releases of Falcon, Qwen, ChatGLM and InternLM are read too.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "catalog/architecture.hpp"
#include "io/json.hpp"

namespace reckon {

/// The network that `config` describes.  Keys without effect are counted in its notes and never refused; a missing field, a wrong type, a
/// value out of range, sizes that do not divide, and an unknown model_type throw ConfigError with file and JSON pointer.
/// `as` (a model_type, from `--as`) is used in place of the file's own model_type when not empty.
Architecture architecture_from_config(const JsonNode& config, const std::string& name, const std::string& as = "");

/// What `model_type` (or `--as`) may be, sorted; "unet" stands for diffusers' UNet2DConditionModel.
std::vector<std::string> known_model_types();

}  // namespace reckon

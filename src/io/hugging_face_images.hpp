// Convolutional networks of Hugging Face: ResNet of transformers, U-Net of diffusers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "catalog/architecture.hpp"
#include "io/hugging_face_fields.hpp"

namespace reckon {

/// `model_type: resnet`.  Images are 224 x 224 unless the file says `image_size` (which the format does not have).
ResNet read_resnet(Fields& f);

/// `_class_name: UNet2DConditionModel`.
UNet read_unet(Fields& f);

}  // namespace reckon

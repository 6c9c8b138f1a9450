"""What scripts/fit_compute.py fits to what; the keys of sources are those of compute_sources.json.
SPDX-License-Identifier: Apache-2.0
"""

DATE = "2026-11-21"
KEYS = {
    "a100-sxm-80gb": "a100",
    "h100-sxm-80gb": "h100",
    "h200-sxm-141gb": "h200",
    "gb200": "gb200",
    "gb300": "gb300",
    "b200-sxm-180gb": "b200",
    "b300-sxm-288gb": "b300",
}

# A100: the TensorRT-LLM set, whose large products (262 TFLOP/s) agree with independent ones (241..255 of The Case for Co-Designing Model
# Architectures with Hardware, 271 of ML Engineering); the vLLM set ran on a card that does not throttle (284).  H100: the TensorRT-LLM set,
# whose best (852) is nearer the 794 of ML Engineering than the vLLM set's (947).
GEMM_SETS = {
    "a100-sxm-80gb": {"bf16": "aic-a100_sxm-trtllm-1.0.0-bfloat16"},
    "h100-sxm-80gb": {"bf16": "aic-h100_sxm-trtllm-1.3.0rc20-bfloat16", "fp8": "aic-h100_sxm-trtllm-1.3.0rc20-fp8"},
    "h200-sxm-141gb": {"bf16": "aic-h200_sxm-trtllm-1.3.0rc20-bfloat16", "fp8": "aic-h200_sxm-trtllm-1.3.0rc20-fp8"},
    **{
        name: {
            "bf16": f"aic-{key}-trtllm-1.3.0rc20-bfloat16",
            "fp8": f"aic-{key}-trtllm-1.3.0rc20-fp8",
            "nvfp4": f"aic-{key}-trtllm-1.3.0rc20-nvfp4",
        }
        for name, key in (("gb200", "gb200"), ("gb300", "gb300"), ("b200-sxm-180gb", "b200_sxm"), ("b300-sxm-288gb", "b300_sxm"))
    },
}

OPERAND_BYTES = {"fp32": 4.0, "tf32": 4.0, "fp16": 2.0, "bf16": 2.0, "fp8": 1.0, "mxfp8": 1.0 + 1.0 / 32.0, "nvfp4": 0.5 + 1.0 / 16.0}
LIKE = {"fp16": "bf16", "tf32": "bf16", "fp32": "bf16", "mxfp8": "fp8"}

# The nvfp4 sets, whose waves are hard, fit best with these counts; a catalogue may say something else.
MULTIPROCESSORS = {"b200-sxm-180gb": 148, "b300-sxm-288gb": 148, "gb200": 152, "gb300": 152}

# ML Engineering, compute/accelerator: a SwiGLU MLP with ffn 10922 (rows 4-byte aligned) runs at 272.7, with 10944 at 398.4 TFLOP/s on H100;
# two of its three products have the odd dimension as a row length and the third as k: all three lose.
MISALIGNMENT = 1.46

CITED_GEMMS = [
    (1024, 4096, 4096),
    (2048, 6144, 4096),
    (4096, 4096, 4096),
    (4096, 12288, 4096),
    (4097, 5120, 5120),
    (8192, 8192, 8192),
    (8192, 3072, 12288),
    (16384, 7168, 2048),
    (32768, 8192, 1024),
]

ATTENTION = {
    "a100": {
        "flash2": {"table": "aic-attn-a100_sxm-vllm-0.14.0", "source": "flash2-a100"},
        "flash1": {"source": "flash2-paper", "back_like_forward": 1.0},
    },
    "h100": {
        "flash1": {"source": "flash2-paper", "back_like_forward": 1.0},
        "flash2": {"source": "flash-h100", "fixed": {"waves": 0.6}},
        "flash3": {"source": "flash-h100", "fixed": {"waves": 0.6}},
        "cudnn": {"rows": [("h100", "cudnn"), ("h200", "cudnn")], "source": "cudnn-hopper", "fixed": {"waves": 0.6}},
    },
    "h200": {
        "flash1": {"scaled_from": "h100", "ratio": 1.0, "source": "scaled"},
        "flash2": {"scaled_from": "h100", "ratio": 1.0, "source": "scaled"},
        "flash3": {"scaled_from": "h100", "ratio": 1.0, "source": "scaled"},
        "cudnn": {"rows": [("h100", "cudnn"), ("h200", "cudnn")], "source": "cudnn-hopper", "fixed": {"waves": 0.6}},
    },
    "gb200": {
        "flash2": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}},
        "cudnn": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}},
    },
    "gb300": {
        "flash2": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}},
        "cudnn": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}},
    },
    "b200": {
        "flash2": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}, "shape_of": "gb200", "least": 4096},
        "cudnn": {"source": "cudnn-blackwell", "fixed": {"waves": 0.6}, "shape_of": "gb200", "least": 8192},
    },
    # B300: GB300 slowed by the ratio of their TensorRT-LLM forward tables (median over seq >= 4096).
    "b300": {
        "flash2": {"scaled_from": "gb300", "ratio": 0.83, "source": "scaled"},
        "cudnn": {"scaled_from": "gb300", "ratio": 0.83, "source": "scaled"},
    },
}

# Share of the data-sheet bandwidth that a large copy reaches.
STREAM = {
    "a100-sxm-80gb": (0.87, "copy-a100"),
    "h100-sxm-80gb": (0.895, "copy-h200"),
    "h200-sxm-141gb": (0.895, "copy-h200"),
    "b200-sxm-180gb": (0.84, "copy-gb200"),
    "b300-sxm-288gb": (0.84, "copy-gb200"),
    "gb200": (0.84, "copy-gb200"),
    "gb300": (0.84, "copy-gb200"),
    "mi300x": (0.76, "copy-mi308x"),
    "mi325x": (0.76, "copy-mi308x"),
    "mi355x": (0.70, "copy-mi350x"),
    "mi250x": (0.76, "copy-mi308x"),
    "gh200-144gb": (0.895, "copy-h200"),
    "a100-pcie-80gb": (0.87, "copy-a100"),
    **{f"v100-{kind}-{size}gb": (0.835, "copy-v100") for kind in ("sxm2", "pcie") for size in (16, 32)},
}
STREAM_GUESS = (0.76, "copy-guess")

# Devices known by their best matmul rate alone (precision -> m, n, k, TFLOP/s), or not at all (precision -> share of the peak).
ANCHORED = {
    "mi250x": {
        "like": "h100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash2"],
        "rates": {"bf16": (2048, 19968, 14080, 294)},
    },  # two dies of 147
    **{
        f"v100-{kind}-{size}gb": {"like": "a100-sxm-80gb", "source": "share", "kernels": ["flash1"], "rates": {"fp16": 0.95}}
        for kind in ("sxm2", "pcie")
        for size in (16, 32)
    },
    **{name: {"like": "a100-sxm-80gb", "source": "share", "kernels": ["flash2"], "rates": {"bf16": 0.9}} for name in ("l40s", "rtx4090")},
    **{
        name: {"like": "h100-sxm-80gb", "source": "share", "kernels": ["flash2"], "rates": {"bf16": 0.85}}
        for name in ("tpu-v4", "tpu-v5e", "tpu-v5p", "tpu-v6e", "tpu-v7", "trainium1", "trainium2", "trainium3")
    },
    "mi300x": {
        "like": "h100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash2"],
        "rates": {"bf16": (4096, 4864, 32896, 708), "fp8": (4096, 3648, 32896, 1273)},
    },
    "mi325x": {
        "like": "h100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash2"],
        "rates": {"bf16": (13312, 10240, 8192, 784.9), "fp8": (4096, 3648, 32896, 1519)},
    },
    "mi355x": {"like": "h100-sxm-80gb", "source": "mamf", "kernels": ["flash2"], "rates": {"bf16": (12288, 8192, 8192, 1565)}},
    "gaudi2": {
        "like": "h100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash2"],
        "rates": {"bf16": (14336, 15360, 2048, 418.7), "fp8": (6144, 11264, 5120, 826.5)},
    },
    "gaudi3": {
        "like": "h100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash2"],
        "rates": {"bf16": (16384, 4096, 768, 1243), "fp8": (16640, 1536, 3072, 1289.5)},
    },
    "gh200-144gb": {
        "like": "h200-sxm-141gb",
        "source": "mamf",
        "kernels": ["flash2", "flash3", "cudnn"],
        "rates": {"bf16": (1024, 15360, 4096, 828.6), "fp8": (1024, 14336, 14336, 1535)},
    },
    "a100-pcie-80gb": {
        "like": "a100-sxm-80gb",
        "source": "mamf",
        "kernels": ["flash1", "flash2"],
        "rates": {"bf16": (2048, 5120, 6144, 252.9)},
    },
}

NOTES = [
    "gemm: random data, CUDA graphs, each shape a few times in a row; residual of burst times at m >= 1024, checked on five folds of (n, k).",
    "gemm fp8, nvfp4: the tables hold the cast of the activations; it is fitted apart (cast_in_table) and NOT part of predicted times.",
    "power: knee and settling are fitted to the rows of one table that last longer than a few ms against its short ones; duty: see sources.",
    "attention: the backward rate counts forward FLOP, it is about 2.5 times below the achieved rate.",
]

"""Fits the GEMM parameters of one device and precision to a table of measured [m, n, k, ms] rows.

The tables time a Linear layer with random data in CUDA graphs, each shape a few times in a row.  Where the layer casts its activations
to fp8 or nvfp4 the time of the cast is in the table; it is fitted beside the product as cast_per_value * m k + cast_launch and left out
of the calibration.  Loss: soft-L1 of the log error at 5 %, rows with m < 1024 at 0.3 of the weight, rows with n or k above 60,000 at half.
SPDX-License-Identifier: Apache-2.0
"""

import numpy as np
from scipy.optimize import least_squares

from compute_forms import gemm_time, residual

# Tiles that forward selection kept out of all 64..256 x 64..256 shapes (and 2-multiprocessor pairs); the rest added nothing.
TILES = {
    ("ampere", "bf16"): [[256, 128, 1], [64, 64, 1], [64, 256, 1]],
    ("hopper", "bf16"): [[128, 256, 1], [64, 256, 1], [64, 192, 1], [64, 160, 1]],
    ("hopper", "fp8"): [[64, 256, 1], [256, 96, 1], [192, 64, 1], [192, 96, 1], [256, 160, 1]],
    ("blackwell", "bf16"): [[192, 128, 1], [128, 256, 1], [256, 160, 2]],
    ("blackwell", "fp8"): [[128, 256, 1], [192, 64, 1]],
    ("blackwell", "nvfp4"): [[128, 512, 2]],
}
FASTEST_CLOCK = {"ampere": 1.0, "hopper": 1980.0 / 1830.0, "blackwell": 1.05}  # boost clock over the clock of the peak, with slack

# name: start, lowest, highest.  Rates and bandwidths are shares of the data sheet.
SPACE = {
    "rate": (0.85, 0.3, 1.0),
    "tile_penalty": (0.05, 1e-4, 0.4),
    "k_overhead": (200, 10, 4000),
    "wave_quantisation": (0.8, 0.1, 1.0),
    "split_extra": (3000, 100, 60000),
    "bandwidth": (0.8, 0.4, 1.0),
    "launch": (3e-6, 1e-6, 1.2e-5),
    "knee": (0.85, 0.55, 2.0),
    "settling": (3e-3, 1e-3, 8e-3),
    "cast_per_value": (1e-12, 1e-14, 1e-11),
    "cast_launch": (2e-6, 1e-8, 4e-5),
}
DUTY = {"ampere": 0.75, "hopper": 0.75, "blackwell": 0.75}  # share of a training step in products: see compute_sources.json, power
CAST = ("cast_per_value", "cast_launch")


def weights(m, n, k):
    return np.where(m >= 1024, 1.0, 0.3) * np.where(np.maximum(n, k) > 60000, 0.5, 1.0)


class GemmFit:
    """The parameters of one set, and how well they do."""

    def __init__(self, device, precision, rows, operand_bytes):
        self.device, self.precision = device, precision
        self.m, self.n, self.k, self.measured = np.asarray(rows, float).T * np.array([[1], [1], [1], [1e-3]])
        self.operand_bytes = operand_bytes
        self.names = [name for name in SPACE if precision != "bf16" or name not in CAST]
        self.low = np.log([SPACE[name][1] for name in self.names])
        self.high = np.log([SPACE[name][2] for name in self.names])
        self.high[0] = np.log(FASTEST_CLOCK[device["architecture"]])
        if precision != "bf16":  # the table cannot tell the start of the product from that of the cast: as for bf16
            self.high[self.names.index("launch")] = np.log(3e-6)

    def parameters(self, z):
        v = dict(zip(self.names, np.exp(z)))
        device = self.device
        peak = device["peak"][self.precision]
        rate = v["rate"] * peak
        return {
            "peak": peak,
            "rate": rate,
            "multiprocessors": device["num_multiprocessors"],
            "tiles": TILES[device["architecture"], self.precision],
            "tile_penalty": v["tile_penalty"],
            "k_overhead": v["k_overhead"],
            "wave_quantisation": v["wave_quantisation"],
            "split_overhead": v["k_overhead"] + v["split_extra"],
            "bandwidth": v["bandwidth"] * device["memory_bandwidth"],
            "operand_bytes": self.operand_bytes,
            "result_bytes": 2.0,
            "launch": v["launch"],
            "knee": v["knee"] * v["rate"],
            "exponent": 0.5,
            "duty": DUTY[device["architecture"]],
            "settling": v["settling"],
            "cast_per_value": v.get("cast_per_value", 0.0),
            "cast_launch": v.get("cast_launch", 0.0),
        }

    def predict(self, p):
        """What the table would show: the product before the power limit has settled, and the cast where there is one."""
        return gemm_time(p, self.m, self.n, self.k, sustained=False) + p["cast_per_value"] * self.m * self.k + p["cast_launch"]

    def solve(self, rows=slice(None)):
        root = np.sqrt(weights(self.m, self.n, self.k))
        start = np.log([SPACE[name][0] for name in self.names])

        def error(z):
            return (root * np.log(self.predict(self.parameters(z)) / self.measured) / 0.05)[rows]

        found = least_squares(error, np.clip(start, self.low + 1e-9, self.high - 1e-9), bounds=(self.low, self.high), loss="soft_l1")
        return self.parameters(found.x)

    def cross_validate(self, folds=5):
        """Absolute errors at m >= 1024 of rows whose (n, k) the fit did not see."""
        pair = (self.n * 7919 + self.k * 104729).astype(int) // 512
        fold = (pair * 2654435761 % 2**32) // (2**32 // folds + 1)
        size = np.zeros_like(self.m)
        for f in range(folds):
            p = self.solve(np.flatnonzero(fold != f))
            held = fold == f
            size[held] = np.abs(self.predict(p) / self.measured - 1.0)[held]
        large = size[self.m >= 1024]
        return {"cross_validated_median": float(np.median(large)), "cross_validated_p90": float(np.percentile(large, 90))}

    def residual(self, p):
        large = self.m >= 1024
        return residual(self.predict(p)[large], self.measured[large])

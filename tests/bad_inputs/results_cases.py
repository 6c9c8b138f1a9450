"""Results files that are cut, changed, of another kind or no files at all, for show and verify.

SPDX-License-Identifier: Apache-2.0
"""

import random
import subprocess
import tempfile
import zlib

from case import Case
from input_file_cases import written
from small_catalogue import make_small_catalogue
from things import THINGS

PROGRAM = ""
PLAN = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8,16", "--tokens", "2B", "--quiet"]


def good_results(source):
    """The bytes of a results file that the program writes."""
    with tempfile.TemporaryDirectory() as folder:
        make_small_catalogue(source, folder + "/models")
        target = folder + "/good.h5"
        env = {"PATH": "/usr/bin:/bin", "HOME": folder, "RECKON_DATA_DIR": folder + "/models"}
        subprocess.run(
            [PROGRAM, *PLAN, "--out", target], env=env, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=60
        )
        with open(target, "rb") as f:
            return f.read()


def flipped(good, seed, times):
    changed = bytearray(good)
    chance = random.Random(seed)
    for _ in range(times):
        at = chance.randrange(len(changed))
        changed[at] ^= 1 << chance.randrange(8)
    return bytes(changed)


def packed(content):
    """Makes a file with `content`, which is kept small: every worker is a copy of this process with all its cases."""
    small = zlib.compress(content, 1)

    def make(path):
        with open(path, "wb") as f:
            f.write(zlib.decompress(small))

    return make


def spoilt(good):
    for share in (0.0005, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99):
        yield f"cut at {share:.2%}", good[: int(len(good) * share)]
    yield "without its last byte", good[:-1]
    yield "cut in its head", good[:7]
    yield "empty", b""
    yield "text", b"These are not results.\n"
    yield "JSON", b'{"format": "reckon/plan/1"}'
    yield "only the signature", good[:8]
    yield "zeros of the same length", bytes(len(good))
    yield "a byte too many", good + b"\0"
    yield "twice", good + good
    yield "something before", b"x" + good
    yield "a block of 512 bytes before", bytes(512) + good
    yield "its head filled with ones", b"\xff" * 96 + good[96:]
    yield "its middle filled with zeros", good[: len(good) // 3] + bytes(len(good) // 3) + good[
        len(good) - (len(good) - 2 * (len(good) // 3)) :
    ]
    for number in range(60):
        yield f"one bit changed, {number}", flipped(good, number, 1)
    for number in range(20):
        yield f"a hundred bits changed, {number}", flipped(good, 1000 + number, 100)
    for number in range(16):  # the head of an HDF5 file, where most of its pointers are
        changed = bytearray(good)
        changed[8 + 6 * number] ^= 0xFF
        yield f"byte {8 + 6 * number} of the head changed", bytes(changed)


def cases(source):
    good = good_results(source)
    out = []
    for verb in ("verify", "show"):
        command = [verb, "{dir}/plan.h5"]
        for label, text in spoilt(good):
            if verb == "show" and "one bit" in label and int(label.split()[-1]) >= 10:
                continue
            out.append(Case(f"results: {verb} of {label}", command, prepare=written("plan.h5", packed(text)), says=("{dir}/plan.h5",)))
        for label, make, says, skip in THINGS:
            if "zeros" in label:
                out.append(Case(f"results: {verb} of {label}", command, prepare=written("plan.h5", make), says=("{dir}/plan.h5",)))
            else:
                out.append(
                    Case(f"results: {verb} of {label}", command, prepare=written("plan.h5", make), says=("{dir}/plan.h5", says), skip=skip)
                )
        out.append(
            Case(
                f"results: {verb} of a missing file",
                [verb, "{dir}/plam.h5"],
                prepare=written("plan.h5", good),
                says=("{dir}/plam.h5", "did you mean '{dir}/plan.h5'?"),
            )
        )
        out.append(Case(f"results: {verb} of a missing folder", [verb, "{dir}/none/plan.h5"], says=("{dir}/none",)))
        out.append(Case(f"results: {verb} of no name", [verb, ""], says=("''",)))
        out.append(Case(f"results: {verb} of two files", [verb, "a.h5", "b.h5"], says=("'b.h5'", "too many")))
    out.append(
        Case(
            "results: show of an unknown input",
            ["show", "{dir}/plan.h5", "--input", "modle"],
            prepare=written("plan.h5", good),
            says=("--input 'modle'", "did you mean 'model'?"),
        )
    )
    out.append(Case("results: the good file", ["verify", "{dir}/plan.h5"], exit=0, prepare=written("plan.h5", good)))
    return out

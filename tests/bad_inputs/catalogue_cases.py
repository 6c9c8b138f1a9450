"""Catalogue and calibration files, spoilt one at a time in a copy that RECKON_DATA_DIR names.

SPDX-License-Identifier: Apache-2.0
"""

import re
import shutil
import tempfile

from case import Case
from mutations import mutations, place_pattern, render, spoilt_texts
from small_catalogue import load, make_small_catalogue
from things import THINGS, nothing

PREDICT = ["predict", "--model", "llama-3-8b", "--device", "h100", "--tp", "2", "--dp", "32", "--gb", "512"]
ARCHITECTURE = ["predict", "--model", "llama-2-7b", "--device", "h100", "--tp", "2", "--dp", "32", "--gb", "512"]

# file, where its fields begin (all of them when empty)
FILES = (
    ("devices/h100-sxm-80gb.json", ()),
    ("nodes/dgx-h100.json", ()),
    ("fabrics/infiniband-ndr.json", ()),
    ("clusters/dgx-h100-superpod.json", ()),
    ("prices/lambda.json", ()),
    ("prices/purchase.json", ()),
    ("calibrations/l40s.json", ("gemm",)),
    ("calibrations/l40s.json", ("attention", "flash2", "forward")),
    ("calibrations/l40s.json", ("stream",)),
    ("calibrations/l40s.json", ("sources", "share")),
    ("calibrations/links.json", ("domains", "h100", "bulk")),
    ("calibrations/links.json", ("domains", "h100", "copy")),
    ("calibrations/links.json", ("fabrics", "infiniband")),
    ("calibrations/links.json", ("residuals", 0)),
    ("calibrations/links.json", ("sources", "aiconfigurator")),
    ("calibrations/stacks.json", ("stacks", "default")),
)

# (file, 'pointer label', place): faults that are reported elsewhere; None where the file means something as it then is.
FREE = None  # accepted: the file means something as it then is
NO_PLACE = "no place"  # the complaint is about what was asked of the file
ELSEWHERE = (
    # prose, names that only people read
    (".*", r".*/(url|title|name|vendor|provider|instance|region|what|seller|fit_note|notes/0|sizes|collective) unknown", FREE),
    (".*", r".*/(instance|region|seller|fit_note|notes/0) empty|/notes missing", FREE),
    ("devices.*", "/architecture unknown", FREE),
    ("prices/purchase.*", "/prices/0/id unknown", FREE),
    (".*links.*", "/residuals/0/(device|collective|sizes) (unknown|empty)", FREE),
    # zero or null: not published, or none
    ("devices.*", "/(power|pcie_bandwidth|link_bandwidth|l2_cache|vector_peak) zero", FREE),
    ("nodes.*", "/(host_memory|max_power|nics_per_node) zero", FREE),
    ("fabrics.*", "/nodes_per_leaf zero", FREE),
    ("clusters.*", "/max_devices zero", FREE),
    ("devices.*", "/(power|pcie_bandwidth|link_bandwidth|l2_cache|vector_peak) null", "/src/"),
    ("nodes.*", "/(host_memory|max_power) null", "/src/"),
    (".*l40s.*", "/gemm/bf16/(power/(settling|duty|exponent)|launch|wave_quantisation|k_overhead|tile_penalty) zero", FREE),
    (
        ".*l40s.*",
        "/attention/.*/(launch|wave_quantisation|key_overhead|wide_head_from|wide_head_penalty) zero|/stream/(cache|latency) zero",
        FREE,
    ),
    (".*links.*", "/domains/.*/(fill_size|fill|step|base|all_to_all|reduce_scatter|all_gather|all_reduce) zero", FREE),
    (
        ".*links.*",
        "/fabrics/.*/(loss_per_doubling|peer|in_network_efficiency|fill_size|fill|bulk_step|step|base) zero|/residuals/0/(bias|p90|median) zero",
        FREE,
    ),
    (".*links.*", "/residuals/0/bias negative", FREE),
    (".*stacks.*", ".*/(host_time|scale_jitter|exposed_data|moment_bytes|master_bytes|bf16_gradient_bytes|gradient_bucket) zero", FREE),
    (".*stacks.*", ".*/median_of missing", FREE),
    (".*l40s.*", ".*/(tiles/0/0|multiprocessors) fraction", FREE),
    # what need not be there
    ("devices.*", "/peak/(fp8|bf16|fp16|tf32|fp32) missing", FREE),
    (".*l40s.*", "/gemm/(fp32|tf32|fp16) missing", FREE),
    (".*links.*", "/fabrics/infiniband missing", FREE),
    (".*stacks.*", ".*/facts/attention/ampere missing", FREE),
    # the place of the object, or of the other of two that disagree
    (".*", r"/sources/[^/]+/url empty", "/sources/"),
    ("fabrics.*", "/oversubscription fraction", "/nodes_per_leaf"),
    ("prices/lambda.*", "/prices/0/price missing", "/prices/0"),
    ("prices/purchase.*", "/prices/0/high zero", "/prices/0/low"),
    ("prices/purchase.*", "/prices/0/high huge", "/prices/0"),
    (".*l40s.*", "/gemm/[^/]+/(peak|rate|bandwidth|split_overhead) zero|/gemm/[^/]+/like missing", "/gemm/"),
    (".*l40s.*", "/gemm/bf16 missing", "/gemm/fp16/like"),
    (".*l40s.*", "/attention/flash2/forward/(bandwidth|exponential_rate|rate) zero", "/attention/flash2"),
    (".*links.*", "/domains/h100/bulk/efficiency zero", "/domains/h100/bulk"),
    (".*links.*", "/sources/aiconfigurator missing", "/domains/h100/source"),
    # names that the command line gave and the file no longer knows
    ("devices.*", "/aliases(/0)? (missing|empty|unknown)", NO_PLACE),
    (".*stacks.*", "/stacks/default missing", NO_PLACE),
)


def expected_place(file, label, place):
    for name, pattern, other in ELSEWHERE:
        if re.fullmatch(name, file) and re.fullmatch(pattern, label):
            return other
    return place


def field_cases(data):
    for file, start in FILES:
        document = load(f"{data}/{file}")
        for label, text, place in mutations(document, start):
            place = expected_place(file, label, place)
            name = f"catalogue: {file} {label}"
            if place is None:
                yield Case(name, PREDICT, exit=0, edit=(file, text))
            else:
                # an expectation that ends in a slash is the beginning of a pointer
                pattern = (
                    ""
                    if place == NO_PLACE
                    else "where: .*/" + re.escape(file + " at " + place) if place.endswith("/") else place_pattern("/" + file, place)
                )
                yield Case(name, PREDICT, edit=(file, text), pattern=pattern)


def text_cases(data):
    for file in (
        "devices/h100-sxm-80gb.json",
        "nodes/dgx-h100.json",
        "fabrics/infiniband-ndr.json",
        "clusters/dgx-h100-superpod.json",
        "prices/lambda.json",
        "calibrations/l40s.json",
        "calibrations/links.json",
        "calibrations/stacks.json",
        "architectures/llama-2-7b.json",
    ):
        command = ARCHITECTURE if "architectures" in file else PREDICT
        good = render(load(f"{data}/{file}"))
        for label, text, fine, place in spoilt_texts(good):
            name = f"catalogue: {file} is {label}"
            if fine:
                yield Case(name, command, exit=0, edit=(file, text), same_as=command)
            else:
                yield Case(
                    name, command, edit=(file, text), says=("{data}/" + file,), pattern=place_pattern("/" + file, place) if place else ""
                )
        for label, make, says, skip in THINGS:
            yield Case(f"catalogue: {file} is {label}", command, edit=(file, make), says=("{data}/" + file, says), skip=skip)


def reference_cases(data):
    """Files that name others which are not there, and folders that are not there."""
    for file, command, says in (
        ("nodes/dgx-h100.json", PREDICT, "dgx-h100"),
        ("devices/l40s.json", PREDICT, "l40s"),
        ("fabrics/infiniband-ndr.json", PREDICT, "infiniband-ndr"),
        ("calibrations/links.json", PREDICT, "links.json"),
        ("calibrations/stacks.json", PREDICT, "stacks.json"),
    ):
        yield Case(f"catalogue: {file} is missing", command, edit=(file, nothing), says=(says,), pattern=r"where: \S+\.json")
    for folder in ("devices", "nodes", "fabrics", "clusters", "prices", "calibrations", "architectures"):
        yield Case(
            f"catalogue: {folder}/ is missing",
            PREDICT,
            env={"RECKON_DATA_DIR": "{dir}/models"},
            says=(folder,),
            prepare=lambda here, models, folder=folder: (
                shutil.copytree(models, here + "/models"),
                shutil.rmtree(f"{here}/models/{folder}"),
            ),
        )
    for label, value in (
        ("does not exist", "/nonexistent"),
        ("is empty", ""),
        ("is a file", "/etc/passwd"),
        ("holds no catalogue", "/tmp"),
    ):
        yield Case(f"catalogue: RECKON_DATA_DIR {label}", PREDICT, env={"RECKON_DATA_DIR": value}, says=("RECKON_DATA_DIR", f"'{value}'"))
    for file, path, near in (
        ("nodes/dgx-h100.json", "device", "h100-sxm-80gb"),
        ("nodes/dgx-h100.json", "fabric", "infiniband-ndr"),
        ("clusters/dgx-h100-superpod.json", "node", "dgx-h100"),
        ("devices/h100-sxm-80gb.json", "usual_node", "dgx-h100"),
    ):
        document = load(f"{data}/{file}")
        document[path] = near[:-1]
        yield Case(
            f"catalogue: {file} /{path} is misspelt",
            PREDICT,
            edit=(file, render(document)),
            says=(f"unknown {path.replace('usual_', '')} '{near[:-1]}'", f"did you mean '{near}'?"),
            pattern=place_pattern("/" + file, "/" + path),
        )
    for file in ("devices/h100-sxm-80gb.json", "fabrics/infiniband-ndr.json", "calibrations/stacks.json"):
        document = load(f"{data}/{file}")
        near = "stacks" if "stacks" in file else "sources"
        yield Case(
            f"catalogue: {file} has a misspelt key",
            PREDICT,
            edit=(file, render({**document, near[:-1]: 1})),
            says=(f"did you mean '{near}'?",),
        )


def cases(source):
    with tempfile.TemporaryDirectory() as folder:
        data = folder + "/models"
        make_small_catalogue(source, data)
        return [*field_cases(data), *text_cases(data), *reference_cases(data)]

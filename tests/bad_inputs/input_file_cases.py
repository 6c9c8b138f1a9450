"""Files that a command line names: published runs and Hugging Face configs.

SPDX-License-Identifier: Apache-2.0
"""

import os
import re

from case import FITS_OR_NOT, Case
from mutations import mutations, place_pattern, render, spoilt_texts
from small_catalogue import load
from things import THINGS

RUNS = ["validate", "{dir}/runs.json"]
CONFIG = [
    "predict",
    "--model",
    "{dir}/config.json",
    "--device",
    "h100",
    "--tp",
    "1",
    "--dp",
    "8",
    "--gb",
    "64",
    "--sharding",
    "zero3",
    "--recompute",
    "full",
]


def written(name, content):
    """Prepares the file `name` with `content`: bytes, or what makes a thing at a path."""

    def prepare(here, data):
        del data
        path = os.path.join(here, name)
        if callable(content):
            content(path)
        else:
            with open(path, "wb") as f:
                f.write(content)

    return prepare


FREE = None  # accepted: the file means something as it then is
ELSEWHERE = (
    ("runs.*", r"/runs/0/(notes|architecture/name|stack|source|id) unknown|/runs/0/notes (empty|missing)", FREE),
    (
        "runs.*",
        "/runs/0/(strategy/attention|cluster/fabric|cluster/fabric/stated|architecture/params|architecture/tied_embeddings) missing|.*/params (null|fraction)|.*/nic_gbit_per_s fraction",
        FREE,
    ),
    # keys that no formula reads: whatever they hold
    (
        "config.*",
        "/(rope_theta|torch_dtype|hidden_act|activation_function|act_fn|addition_time_embed_dim|norm_num_groups) (?!NaN|overflow).*",
        FREE,
    ),
    ("config.*", "/architectures (missing|null)|/architectures/0 (empty|unknown)", FREE),
    # null is as good as missing, and the default of the family holds
    (
        "config.*",
        "/(tie_word_embeddings|num_key_value_heads|max_position_embeddings|num_nextn_predict_layers|topk_group|q_lora_rank|n_shared_experts|n_routed_experts|moe_layer_freq|"
        "moe_intermediate_size|first_k_dense_replace|attention_bias|n_ctx|n_positions|addition_embed_type|use_linear_projection|out_channels|mid_block_type|layers_per_block|in_channels|"
        "attention_head_dim|transformer_layers_per_block) (missing|null)",
        FREE,
    ),
    ("config.*", "/(num_nextn_predict_layers|q_lora_rank|n_shared_experts|n_routed_experts|first_k_dense_replace) zero", FREE),
    ("config.*diffusion.*", "/(addition_embed_type empty|transformer_layers_per_block number)", FREE),
    ("config.*", "/n_group (missing|null)", "/topk_group"),
    ("config of gpt2", "/n_layer (missing|null)", "/num_hidden_layers"),
    ("config of gpt2", "/n_head (missing|null)", "/num_attention_heads"),
    ("config of gpt2", "/n_embd (missing|null)", "/hidden_size"),
    ("config.*diffusion.*", "/_class_name missing", "/model_type"),
)


def expected_place(kind, label, place):
    for name, pattern, other in ELSEWHERE:
        if re.fullmatch(name, kind) and re.fullmatch(pattern, label):
            return other
    return place


def repeating(start, repeated, times, end):
    def make(path):
        with open(path, "wb") as f:
            f.write(start)
            for _ in range(64):
                f.write(repeated * (times // 64))
            f.write(end)

    return make


def sample_runs(source):
    """One run of each body: dense, experts, images."""
    published = os.path.join(source, "experiments", "published")
    dense = next(
        r
        for r in load(f"{published}/dgxc.json")["runs"]
        if r["architecture"]["family"] == "llama" and "fabric" in r["cluster"] and r["cluster"]["device"] == "h100-sxm-80gb"
    )
    moe = next(
        r
        for r in load(f"{published}/dgxc.json")["runs"]
        if r["architecture"]["family"] == "moe" and r["cluster"]["device"] == "h100-sxm-80gb"
    )
    for run in (dense, moe):
        run["stack"] = "nemo-2024"
    return {"dense": dense, "experts": moe}


def faults(kind, command, file, document, start=(), closed=True):
    for label, text, place in mutations(document, start, closed):
        place = expected_place(kind, label, place)
        name = f"{kind}: {label}"
        if place is None:
            yield Case(name, command, exit=FITS_OR_NOT, prepare=written(file, text))
        else:
            if kind.startswith("config") and place.startswith("missing:"):
                place = "/" + label.split()[0].lstrip("/")  # a config's complaint names the pointer that should be there
            yield Case(name, command, prepare=written(file, text), pattern=place_pattern("/" + file, place))


def spoilt(kind, command, file, document):
    good = render(document)
    for label, text, fine, place in spoilt_texts(good):
        if fine:
            # the plain file lies beside it, so that the answers can be compared
            prepare = lambda here, data, text=text: (
                written(file, text)(here, data),
                os.mkdir(here + "/plain"),
                written("plain/" + file, good)(here, data),
            )
            plain = [a.replace("{dir}/", "{dir}/plain/") for a in command]
            rename = ["--name", "same"] if kind == "config" else []
            yield Case(
                f"{kind}: {label}", command + rename, exit=0, prepare=prepare, same_as=(plain + rename) if kind == "config" else None
            )
        else:
            yield Case(
                f"{kind}: {label}",
                command,
                prepare=written(file, text),
                says=("{dir}/" + file,),
                pattern=place_pattern("/" + file, place) if place else "",
            )
    for label, make, says, skip in THINGS:
        if label == "a folder" and kind == "config":
            continue
        yield Case(f"{kind}: {label}", command, prepare=written(file, make), says=("{dir}/" + file, says), skip=skip)
    for label, start, repeated, times, end in (
        ("six million values", b'{"format": "reckon/published-runs/1", "runs": [', b"0,", 6_000_000, b"0]}"),
        ("a text of 20 MiB", b'{"format": "', b"x", 20 << 20, b'"}'),
        ("a key of 20 MiB", b'{"', b"x", 20 << 20, b'": 1}'),
        ("a number of 1 MiB", b'{"format": ', b"9", 1 << 20, b"}"),
    ):
        yield Case(
            f"{kind}: {label}",
            command,
            prepare=written(file, repeating(start, repeated, times, end)),
            pattern=r"where: \S*/" + file + r"(:\d+:\d+| at /\S*)",
        )


def run_cases(source):
    for body, run in sample_runs(source).items():
        yield from faults(f"runs of {body}", RUNS, "runs.json", {"format": "reckon/published-runs/1", "runs": [run]})
    document = {"format": "reckon/published-runs/1", "runs": [sample_runs(source)["dense"]]}
    yield from spoilt("runs", RUNS, "runs.json", document)
    runs = document["runs"]
    again = {**document, "runs": runs + runs}
    yield Case(
        "runs: an id twice",
        RUNS,
        prepare=written("runs.json", render(again)),
        says=("two runs have the id",),
        pattern=place_pattern("/runs.json", "/runs/1/id"),
    )
    yield Case(
        "runs: the same file twice",
        ["validate", "{dir}/runs.json", "{dir}/runs.json"],
        prepare=written("runs.json", render(document)),
        says=("runs.json", "already read"),
    )
    for path, bad, says in (
        (("strategy", "schedule"), "1f1c", "did you mean '1f1b'?"),
        (("strategy", "sharding"), "zero4", "did you mean 'zero1'?"),
        (("cluster", "device"), "h100-sxm-80g", "did you mean 'h100-sxm-80gb'?"),
        (("strategy", "precision"), "bf61", "did you mean 'bf16'?"),
        (("architecture", "family"), "lama", "did you mean 'llama'?"),
        (("training",), "pretrian", "did you mean 'pretrain'?"),
        (("strategy", "tensor_parallel"), 3, "3"),
        (("strategy", "data_parallel"), 7, "7"),
        (("strategy", "global_batch_size"), 7, "7"),
        (("measured", "how"), "mesured", "did you mean 'measured'?"),
    ):
        run = {**runs[0], path[0]: {**runs[0][path[0]], path[1]: bad} if len(path) == 2 else bad}
        pointer = "/runs/0/" + path[0] if len(path) == 1 or isinstance(bad, int) else "/runs/0/" + "/".join(path)
        yield Case(
            f"runs: {'/'.join(path)} is {bad}",
            RUNS,
            prepare=written("runs.json", render({**document, "runs": [run]})),
            says=(says,),
            pattern=r"where: \S*/runs.json at " + pointer,
        )
    for command in ("validate", "fit"):
        yield Case(
            f"runs: {command} a missing file",
            [command, "{dir}/rums.json"],
            prepare=written("runs.json", render(document)),
            says=("{dir}/rums.json", "No such file", "did you mean '{dir}/runs.json'?"),
        )
    yield Case("runs: in a missing folder", ["validate", "{dir}/none/runs.json"], says=("{dir}/none/runs.json", "does not exist"))
    yield Case("runs: /dev/zero itself", ["validate", "/dev/zero"], says=("/dev/zero", "this is a device"))
    yield Case("runs: /dev/stdin", ["validate", "/dev/stdin"], says=("/dev/stdin", "not a file"))
    yield Case("runs: a terminal's name", ["validate", ""], says=("a file name is empty",))
    yield Case("runs: a name of 300 letters", ["validate", "x" * 300], says=("name too long",))


def config_cases(source):
    architectures = os.path.join(source, "models", "architectures")
    for model in ("llama-3-8b", "deepseek-v3", "gpt2", "stable-diffusion-xl"):
        document = load(f"{architectures}/{model}.json")["config"]
        yield from faults(f"config of {model}", CONFIG, "config.json", document, closed=False)
    document = load(f"{architectures}/llama-3-8b.json")["config"]
    yield from spoilt("config", CONFIG, "config.json", document)
    yield Case(
        "config: an unknown model_type",
        CONFIG,
        prepare=written("config.json", render({**document, "model_type": "lama"})),
        says=("unknown model_type 'lama'", "did you mean 'llama'?"),
        pattern=place_pattern("/config.json", "/model_type"),
    )
    yield Case(
        "config: --as an unknown family",
        CONFIG + ["--as", "lama"],
        prepare=written("config.json", render(document)),
        says=("--as 'lama'", "did you mean 'llama'?"),
    )
    yield Case(
        "config: a missing file",
        CONFIG,
        prepare=written("confg.json", render(document)),
        says=("{dir}/config.json", "did you mean '{dir}/confg.json'?"),
    )
    yield Case("config: an empty folder", [a.replace("/config.json", "") for a in CONFIG], says=("{dir}/config.json", "No such file"))
    yield Case(
        "config: /dev/zero itself", [a.replace("{dir}/config.json", "/dev/zero") for a in CONFIG], says=("/dev/zero", "this is a device")
    )
    yield Case("config: /dev/tty", [a.replace("{dir}/config.json", "/dev/tty") for a in CONFIG], says=("/dev/tty",))


def cases(source):
    return [*run_cases(source), *config_cases(source)]

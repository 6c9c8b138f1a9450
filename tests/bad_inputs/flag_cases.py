"""Command lines: options that are misspelt, repeated, empty, of the wrong kind, or that do not go together.

SPDX-License-Identifier: Apache-2.0
"""

from case import Case

PLAN = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8", "--tokens", "2B"]
PREDICT = ["predict", "--model", "llama-3-8b", "--device", "h100", "--tp", "2", "--dp", "32", "--gb", "512"]

NO_NUMBERS = {
    "empty": "",
    "spaces": "   ",
    "nan": "nan",
    "NaN in capitals": "NAN",
    "infinite": "inf",
    "minus infinity": "-inf",
    "hexadecimal": "0x10",
    "a word": "many",
    "a sign": "+8",
    "an apostrophe": "1'000",
    "an underscore": "1_000",
    "full-width digits": "１２",
    "two numbers": "8 8",
    "a leading zero": "007",
    "two points": "1.2.3",
    "too large for a double": "1e999",
    "a control character": "8\x07",
    "a line break": "8\n",
    "bad UTF-8": "8\udcff",
    "shell text": "$(reboot)",
    "long": "9" * 300,
    "very long": "9" * 100_000,
}
KINDS = {
    "count": {
        **NO_NUMBERS,
        "zero": "0",
        "negative": "-8",
        "fraction": "1.5",
        "huge": "1e30",
        "a unit": "8 GB",
        "decimal comma": "1,5",
        "lower-case scale": "8b",
    },
    "counts": {
        **NO_NUMBERS,
        "zero": "0",
        "negative": "-8",
        "fraction": "1.5",
        "huge": "1e30",
        "a unit": "8 GB",
        "backwards": "64..8",
        "no end": "8..",
        "no start": "..8",
        "three dots": "8...16",
        "no item": "8,,16",
        "ends in a comma": "8,",
        "step of one": "8..64*1",
        "step of zero": "8..64+0",
        "no step": "8..64*",
        "too many": "1..1000000+1",
        "a semicolon": "8;16",
        "zero in a list": "8,0",
        "a word in a list": "8,x",
    },
    "number": {**NO_NUMBERS, "negative": "-1", "huge": "1e30", "a unit": "1 GB", "decimal comma": "1,5", "percent twice": "1%%"},
    "time": {
        **NO_NUMBERS,
        "bare": "30",
        "negative": "-3d",
        "wrong dimension": "30 GB",
        "money": "$30",
        "unknown unit": "30 dd",
        "decimal comma": "2,5 d",
        "per": "3 d/s",
        "ambiguous": "30 M",
        "huge": "1e30 d",
    },
    "money": {
        **NO_NUMBERS,
        "bare": "30",
        "negative": "-$5",
        "negative inside": "$-5",
        "wrong dimension": "30 GB",
        "euros": "€30",
        "a rate": "$5/h",
        "decimal comma": "$2,5",
        "separators": "$1,000,000",
        "huge": "$1e30",
    },
    "rate": {
        **NO_NUMBERS,
        "bare": "2.50",
        "zero": "$0/h",
        "negative": "$-1/h",
        "wrong dimension": "3 GB/s",
        "no time": "$2.50",
        "no money": "2.50/h",
        "decimal comma": "$2,50/h",
        "euros": "€2/h",
        "huge": "$1e30/h",
    },
    "power": {
        **NO_NUMBERS,
        "bare": "700",
        "zero": "0 W",
        "negative": "-700 W",
        "wrong dimension": "700 GB",
        "energy": "700 kWh",
        "ambiguous": "700 w",
        "huge": "1e30 W",
    },
}
PLAN_OPTIONS = {
    "seq-len": "count",
    "tokens": "count",
    "devices": "counts",
    "batch": "count",
    "top": "count",
    "tp": "counts",
    "pp": "counts",
    "cp": "counts",
    "ep": "counts",
    "vpp": "counts",
    "mb": "counts",
    "deadline": "time",
    "budget": "money",
    "price": "rate",
    "power": "power",
    "pue": "number",
    "reserve": "number",
    "failure-rate": "number",
    "restart": "time",
    "checkpoint-stall": "time",
    "checkpoint-interval": "time",
    "planned-stops": "number",
    "memory-margin": "number",
}
PREDICT_OPTIONS = {
    "tp": "count",
    "pp": "count",
    "cp": "count",
    "ep": "count",
    "etp": "count",
    "dp": "count",
    "mb": "count",
    "gb": "count",
    "vpp": "count",
    "shard-group": "count",
    "recompute-layers": "count",
    "lora-rank": "count",
}
# (option, near miss, what is meant)
PLAN_WORDS = (
    ("training", "pretrian", "pretrain"),
    ("optimizer", "adamW2", "adamw"),
    ("precision", "bf61", "bf16"),
    ("attention", "flahs", "flash"),
    ("price-kind", "ondemand", "on-demand"),
    ("recompute", "ful", "full"),
    ("sharding", "zero5", "zero1"),
    ("schedule", "1f1c", "1f1b"),
    ("stack", "nemo-2042", "nemo-2024"),
    ("model", "lama-2-7b", "llama-2-7b"),
    ("device", "h10", "h100"),
    ("cluster", "dgx-h100-superpd", "dgx-h100-superpod"),
    ("price-id", "lambda-h10-on-demand", ""),
)
PREDICT_WORDS = (
    ("schedule", "1f1c", "1f1b"),
    ("sharding", "zero33", "zero3"),
    ("recompute", "selectve", "selective"),
    ("recompute-modules", "moe_ac", "moe_act"),
    ("as", "lama", "llama"),
    ("model", "llama-3-8", "llama-3-8b"),
    ("stack", "torchtitann", "torchtitan"),
    ("device", "l40", "l40s"),
    ("cluster", "dgx-h10", "dgx-h100"),
)


def shown(value):
    """A value as complaints quote it: the beginning of it, control characters and broken UTF-8 spelt out."""
    text = "".join(f"\\x{ord(c):02x}" if ord(c) < 32 else f"\\x{ord(c) - 0xdc00:02x}" if 0xDC80 <= ord(c) <= 0xDCFF else c for c in value)
    return text[:30]


def with_option(command, option, value):
    """The command with this option in place of its own, if it has one."""
    out = list(command)
    if "--" + option in out:
        at = out.index("--" + option)
        del out[at : at + 2]
    if option == "cluster":
        out = with_option(out, "device", None)
    if option == "samples":
        out = with_option(out, "tokens", None)
    return out if value is None else out + [f"--{option}={value}"]


def value_cases(command, options):
    verb = command[0]
    for option, kind in options.items():
        for label, value in KINDS[kind].items():
            if (verb, option, label) in MEANT or (option, label) in MEANT:
                continue
            yield Case(
                f"flags: {verb} --{option} is {label}",
                with_option(command, option, value),
                says=("--" + option, shown(value) if value.strip() else "empty" if value else "needs a value"),
            )


# What the grammar means: not faults.
MEANT = {("memory-margin", "zero")}


def word_cases(command, words):
    verb = command[0]
    for option, value, near in words:
        cure = (f"did you mean '{near}'?",) if near else ()
        yield Case(f"flags: {verb} --{option} {value}", with_option(command, option, value), says=(f"'{value}'", *cure))
        yield Case(f"flags: {verb} --{option} is no word", with_option(command, option, "qqqqqqqq"), says=("'qqqqqqqq'",))
        yield Case(f"flags: {verb} --{option} is without a word", with_option(command, option, ""), pattern="--" + option + "|empty|''")


def spelling_cases():
    def case(label, args, *says):
        return Case("flags: " + label, args, says=says)

    yield case("an unknown option", PLAN + ["--zzz"], "'--zzz'")
    yield case("an unknown option with a value", PLAN + ["--zzz=5"], "'--zzz")
    yield case("a misspelt option", PLAN + ["--devcie", "h100"], "'--devcie'", "did you mean '--device'?")
    yield case("a misspelt option with =", PLAN + ["--budgt=$5M"], "--budgt", "did you mean '--budget'?")
    yield case("an option in capitals", PLAN + ["--JSON"], "--JSON", "did you mean '--json'?")
    yield case("an abbreviated option", PLAN + ["--dead", "30d"], "--dead", "did you mean '--deadline'?")
    yield case("an abbreviated option of predict", PREDICT + ["--recompute-l", "2"], "--recompute-l", "did you mean '--recompute")
    yield case("an unknown letter", PLAN + ["-z"], "-z")
    yield case("a single dash", PLAN + ["-deadline", "30d"], "'30d'")
    yield case("a long dash", PLAN + ["\u2014deadline", "30d"], "\u2014deadline")
    yield case("an underscore", PREDICT + ["--shard_group", "8"], "--shard_group", "did you mean '--shard-group'?")
    for option, value in (("devices", "8"), ("tokens", "2B"), ("model", "gpt2"), ("tp", "1"), ("deadline", "3d"), ("out", "x.h5")):
        yield case(f"--{option} twice", PLAN + [f"--{option}", value, f"--{option}", value], f"'--{option}'", "twice")
    yield case("a flag twice", PLAN + ["--json", "--json"], "'--json'", "twice")
    yield case("a letter and its word", PLAN + ["-n", "8"], "'--devices'", "twice")
    for option in ("devices", "tokens", "model", "deadline", "out", "report", "tp"):
        yield case(f"--{option} without its value", with_option(PLAN, option, None) + ["--" + option], f"--{option}", "needs a value")
        yield case(
            f"--{option} before another option", with_option(PLAN, option, None) + ["--" + option, "--json"], f"--{option}", "needs a value"
        )
    yield case("a value for a flag", PLAN + ["--json=yes"], "--json", "takes no value")
    yield case("a stray word", PLAN + ["fast"], "'fast'", "too many")
    yield case("a stray word before", ["plan", "fast"] + PLAN[1:], "'fast'", "too many")
    yield case("a stray number", PREDICT + ["64"], "'64'", "too many")
    yield case("a stray word after --", PLAN + ["--", "--json"], "--json")
    yield case("a blank word", PLAN + [""], "''")
    for verb in ("version", "device", "catalog", "show", "verify", "validate", "fit", "completion", "help"):
        yield case(f"{verb} with an unknown option", [verb, "--jsno", "x"], "--jsno")
    for verb in ("version", "device"):
        yield case(f"{verb} with a stray word", [verb, "x"], "'x'", "too many")
    for verb in ("show", "verify", "validate", "fit", "completion"):
        yield case(f"{verb} without its word", [verb], f"'reckon {verb}' needs")
    yield case("an unknown command", ["qqqqq"], "'qqqqq'")
    yield case("a blank command", [""], "''")
    for wrong, right in (
        ("pln", "plan"),
        ("predcit", "predict"),
        ("validat", "validate"),
        ("catalogue", "catalog"),
        ("vrify", "verify"),
        ("PLAN", "plan"),
    ):
        yield case(f"the command {wrong}", [wrong], f"'{wrong}'", f"did you mean '{right}'?")
    yield case("an unknown option in place of a command", ["--plan"], "'--plan'")
    yield case("help of nothing", ["help", "pln"], "'pln'", "did you mean 'plan'?")
    yield case("completion of a shell", ["completion", "bsh"], "'bsh'", "did you mean 'bash'?")
    yield case("catalog of nothing", ["catalog", "h10000"], "'h10000'")
    yield case("catalog of a misspelt kind", ["catalog", "devcies"], "'devcies'", "did you mean 'devices'?")
    yield case("catalog of a misspelt name", ["catalog", "devices", "h100-sxm-80g"], "'h100-sxm-80g'", "did you mean 'h100-sxm-80gb'?")
    yield case("catalog of a kind and a misspelt kind", ["catalog", "devces", "h100"], "'devces'", "did you mean 'devices'?")
    yield case("catalog of three words", ["catalog", "devices", "h100", "l40s"], "'l40s'", "too many")
    yield case("validate by nothing", ["validate", "x.json", "--by", "stak"], "--by", "'stak'", "did you mean 'stack'?")
    yield case("validate the worst -1", ["validate", "x.json", "--worst", "-1"], "--worst")
    yield case("fit leaving out nothing", ["fit", "x.json", "--leave-out", "modl"], "--leave-out", "did you mean 'model'?")


def together_cases():
    def case(label, args, *says):
        return Case("together: " + label, args, says=says)

    yield case("no model", with_option(PLAN, "model", None), "'--model' is required")
    yield case("no place", with_option(PLAN, "device", None), "--device")
    yield case("no tokens", with_option(PLAN, "tokens", None), "'--tokens' is required")
    yield case("two places", PLAN + ["--cluster", "dgx-h100"], "both --cluster and --device")
    yield case("two prices", PLAN + ["--price", "$2/h", "--price-id", "x"], "both --price and --price-id")
    yield case("samples of a language model", PLAN + ["--samples", "1B"], "--samples", "--tokens")
    yield case("tokens of an image model", with_option(PLAN, "model", "resnet-50"), "--tokens", "--samples")
    yield case(
        "a sequence of an image model",
        with_option(with_option(PLAN, "model", "resnet-50"), "samples", "1B") + ["--seq-len", "2048"],
        "--seq-len",
    )
    yield case(
        "a sequence beyond the table of positions", with_option(PLAN, "model", "gpt2") + ["--seq-len", "4096"], "--seq-len '4096'", "1024"
    )
    yield case("a rank without LoRA", PLAN + ["--lora-rank", "8"], "--lora-rank", "lora")
    yield case("deadline 0", PLAN + ["--deadline", "0 d"], "--deadline '0 d'")
    yield case("budget 0", PLAN + ["--budget", "$0"], "--budget '$0'")
    yield case("no time between checkpoints", PLAN + ["--checkpoint-interval", "0 s"], "--checkpoint-interval '0 s'")
    yield case("a batch in GB/s", PLAN + ["--batch", "16 GBPS"], "--batch")
    yield case("a precision that the device has not", PLAN + ["--precision", "nvfp4"], "--precision", "nvfp4", "choose one of")
    yield case("a batch smaller than a sequence", PLAN + ["--batch", "16 tokens"], "--batch", "16 tokens")
    for label, more, *says in (
        ("tp does not divide the heads", ["--tp=3"], "tensor_parallel 3 does not divide num_heads 32"),
        ("pp does not divide the layers", ["--pp=5", "--vpp=7"], "pipeline_parallel 5", "32 layers"),
        ("the batch is not divisible", ["--gb=511"], "511"),
        ("the micro-batch does not divide", ["--mb=7"], "7"),
        ("devices are not a product", ["--devices=7"], "--devices '7'", "2"),
        ("both --dp and --devices", ["--devices=64", "--dp=32"], "both --dp and --devices"),
        ("experts of a dense model", ["--ep=4"], "expert_parallel"),
        ("interleaving without a pipeline", ["--vpp=4"], "virtual"),
        ("no schedule for a pipeline", ["--pp=4", "--schedule=none"], "schedule"),
        ("recomputed layers without recomputation", ["--recompute-layers=2"], "recompute"),
        ("modules and full", ["--recompute=full", "--recompute-modules=mlp"], "modules"),
        ("modules of nothing", ["--recompute=modules"], "modules"),
        ("a shard group that does not divide", ["--shard-group=7"], "7"),
    ):
        args = PREDICT
        for option in more:
            name, value = option[2:].split("=")
            args = with_option(with_option(args, "dp", None) if name == "devices" else args, name, value)
        yield case(label, args, *says)


def output_cases():
    def blocked(here, data):
        del data
        with open(here + "/old.h5", "w", encoding="utf-8") as f:
            f.write("old")

    for option in ("out", "report"):
        yield Case(f"output: --{option} in a missing folder", PLAN + [f"--{option}", "{dir}/none/x.h5"], says=("{dir}/none/x.h5",))
        yield Case(f"output: --{option} is a folder", PLAN + [f"--{option}", "{dir}", "--force"], says=("{dir}", "not a regular file"))
        yield Case(
            f"output: --{option} exists",
            PLAN + [f"--{option}", "{dir}/old.h5"],
            prepare=blocked,
            says=("{dir}/old.h5", "exists already", "--force"),
        )
        yield Case(
            f"output: --{option} below a file", PLAN + [f"--{option}", "{dir}/old.h5/x.h5"], prepare=blocked, says=("{dir}/old.h5/x.h5",)
        )
        yield Case(f"output: --{option} is /dev/null's neighbour", PLAN + [f"--{option}", "/dev/zero", "--force"], says=("/dev/zero",))
        yield Case(f"output: --{option} in /proc", PLAN + [f"--{option}", "/proc/x.h5"], exit=(2, 5), says=("/proc/x.h5",))
        yield Case(f"output: --{option} with a name too long", PLAN + [f"--{option}", "{dir}/" + "x" * 300], exit=(2, 5), says=("xxx",))
    yield Case("output: the same file twice", PLAN + ["--out", "{dir}/x", "--report", "{dir}/x"], says=("{dir}/x",))


def cases():
    return [
        *value_cases(PLAN, PLAN_OPTIONS),
        *value_cases(PREDICT, PREDICT_OPTIONS),
        *word_cases(PLAN, PLAN_WORDS),
        *word_cases(PREDICT, PREDICT_WORDS),
        *spelling_cases(),
        *together_cases(),
        *output_cases(),
    ]

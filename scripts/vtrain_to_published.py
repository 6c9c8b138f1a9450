#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Converts vTrain's published step times into the format of experiments/published (FORMAT.md there).

usage: vtrain_to_published.py [--single FILE.csv] [--multi FILE.csv] [--commit ID] [--output FILE.json]

The CSV files are data/ground_truth_single.csv and data/ground_truth_multi.csv of https://github.com/VIA-Research/vTrain: iteration times
of GPT models under Megatron-DeepSpeed on A100s, from the paper "vTrain: A Simulation Framework for Evaluating Cost-Effective and
Compute-Optimal Large Language Model Training" (MICRO-57, 2024). They are that project's data and are not kept here. The times on several
nodes are measured; those on one node are published as measured too, but follow from the arithmetic of vTrain's own predictor
(experiments/accuracy/predicted_rows.py), and `reckon validate` takes them for what they are by their ids.

What the files do not say is marked as assumed (the device's memory size, no optimiser sharding) or follows from the paper: fp16, full
recompute, unfused attention, 1F1B without interleaving, nodes of 8 GPUs with four 200 Gb/s InfiniBand adapters.
A run's id is vtrain_<single|multi>_<data row, from 0>. Exit code 0 ok, 2 wrong input (named by file and line), 5 output not written.
"""
import argparse
import csv
import json
import math
import os
import sys

COLUMNS = ["# GPUs", "global batch", "micro batch", "hidden size", "attention heads", "# layers", "sequence length", "tensor parallelism",
           "data parallelism", "pipeline parallelism", "iteration time (ms)"]
SIZE_COLUMN = "Parameters (billion)"  # only in the file of several nodes
TIME_COLUMN = COLUMNS[-1]
DEVICES_PER_NODE = 8
VOCAB_SIZE = 50257  # GPT-2's tokenizer, as Megatron's GPT examples use it


class InputError(Exception):
    """A file or line that cannot be converted; the text names file, line and reason."""


def positive(text, column, kind):
    """A finite number above zero; ValueError with the column's name otherwise."""
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(f"'{column}' is '{text}', not {'a whole number' if kind is int else 'a number'}") from None
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"'{column}' is {text}, not above zero")
    return value


def parameters(num_layers, hidden_size):
    """Weights of the blocks, 12 L h^2 (Narayanan et al., SC21, equation 2, leading term), and of the token embedding, V h."""
    return 12 * num_layers * hidden_size**2 + VOCAB_SIZE * hidden_size


def check_whole(row):
    """The divisibilities that any run has; ValueError names the first that does not hold."""
    devices = row["tensor parallelism"] * row["data parallelism"] * row["pipeline parallelism"]
    if devices != row["# GPUs"]:
        raise ValueError(f"tensor x data x pipeline parallelism is {devices}, not the {row['# GPUs']} of '# GPUs'")
    if row["hidden size"] % row["attention heads"]:
        raise ValueError(f"'hidden size' {row['hidden size']} is not a multiple of 'attention heads' {row['attention heads']}")
    share = row["data parallelism"] * row["micro batch"]
    if row["global batch"] % share:
        raise ValueError(f"'global batch' {row['global batch']} is not a multiple of data parallelism x micro batch = {share}")


def published_run(row, name, index, where):
    """One run in the published format, from a checked row of whole numbers and the iteration time in ms."""
    hidden, layers, heads, pipeline = row["hidden size"], row["# layers"], row["attention heads"], row["pipeline parallelism"]
    billions = row[SIZE_COLUMN] if SIZE_COLUMN in row else round(12 * layers * hidden**2 / 1e9, 2)
    cluster = {"device": "a100-sxm-80gb", "num_devices": row["# GPUs"], "devices_per_node": DEVICES_PER_NODE}
    if name == "multi":
        cluster["fabric"] = {"nics_per_node": 4, "nic_gbit_per_s": 200, "kind": "infiniband", "stated": True}
    return {
        "id": f"vtrain_{name}_{index:04d}",
        "source": where,
        "stack": "megatron-deepspeed-2023",
        "training": "pretrain",
        "architecture": {
            "name": f"GPT {billions:g}B", "family": "gpt", "params": parameters(layers, hidden), "num_layers": layers,
            "hidden_size": hidden, "num_heads": heads, "num_kv_heads": heads, "head_dim": hidden // heads,
            "ffn_hidden_size": 4 * hidden, "gated_mlp": False,
            "vocab_size": VOCAB_SIZE, "seq_len": row["sequence length"]},
        "cluster": cluster,
        "strategy": {
            "tensor_parallel": row["tensor parallelism"], "pipeline_parallel": pipeline, "context_parallel": 1, "expert_parallel": 1,
            "data_parallel": row["data parallelism"], "virtual_stages": 1, "schedule": "1f1b" if pipeline > 1 else "none",
            "sequence_parallel": False, "sharding": "none", "recompute": "full", "micro_batch_size": row["micro batch"],
            "global_batch_size": row["global batch"], "precision": "fp16", "attention": "unfused"},
        "measured": {"step_time_s": round(row[TIME_COLUMN] / 1000, 6), "how": "measured"},
        "assumed": ["sharding", "cluster.device"],
    }


def read_row(cells, header):
    """The row as numbers by column name; ValueError says what is wrong."""
    if len(cells) != len(header):
        raise ValueError(f"{len(cells)} fields, expected {len(header)}")
    kinds = {TIME_COLUMN: float, SIZE_COLUMN: float}
    row = {column: positive(cell.strip(), column, kinds.get(column, int)) for column, cell in zip(header, cells)}
    check_whole(row)
    return row


def read_header(cells, path, name):
    """The column names; InputError unless they are exactly those of this file."""
    header = [cell.strip() for cell in cells]
    expected = ([SIZE_COLUMN] if name == "multi" else []) + COLUMNS
    missing = [column for column in expected if column not in header]
    unknown = [column for column in header if column not in expected]
    if missing or unknown or len(header) != len(expected):
        problem = f"without '{missing[0]}'" if missing else f"with unknown '{unknown[0]}'" if unknown else "with a column twice"
        raise InputError(f"{path}: line 1: header {problem}; expected: {','.join(expected)}")
    return header


def convert(path, name, commit):
    """All runs of one file; InputError names file and line."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            first = next(reader, None)
            if first is None:
                raise InputError(f"{path}: the file is empty")
            header = read_header(first, path, name)
            runs = []
            for cells in reader:
                if not cells:
                    continue
                line = reader.line_num
                source = (f"VIA-Research/vTrain@{commit} data/ground_truth_{name}.csv line {line} "
                          "(MICRO-57, 2024; licence text is MIT-style)")
                try:
                    runs.append(published_run(read_row(cells, header), name, line - 2, source))
                except ValueError as error:
                    raise InputError(f"{path}: line {line}: {error}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from error
    if not runs:
        raise InputError(f"{path}: no runs below the header")
    return runs


def document(runs):
    """The published format, one run a line."""
    return '{"format": "reckon/published-runs/1", "runs": [\n' + ",\n".join(json.dumps(run) for run in runs) + "\n]}\n"


def write(text, path):
    """Writes beside and renames, so that a kill leaves the old file or the new one."""
    beside = f"{path}.tmp{os.getpid()}"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--single", metavar="FILE", help="data/ground_truth_single.csv: runs inside one node")
    parser.add_argument("--multi", metavar="FILE", help="data/ground_truth_multi.csv: runs on several nodes")
    parser.add_argument("--commit", default="f8dda8473a", help="commit of vTrain the files are from [default: %(default)s]")
    parser.add_argument("-o", "--output", metavar="FILE", help="published runs to write [default: stdout]")
    options = parser.parse_args(arguments)
    if not (options.single or options.multi):
        parser.error("nothing to convert: give --single, --multi or both")
    try:
        runs = []
        for name, path in (("multi", options.multi), ("single", options.single)):
            if path:
                runs += convert(path, name, options.commit)
        if options.output:
            write(document(runs), options.output)
        else:
            sys.stdout.write(document(runs))
    except InputError as error:
        print(f"vtrain_to_published.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"vtrain_to_published.py: {options.output}: {error.strerror}", file=sys.stderr)
        return 5
    print(f"vtrain_to_published.py: {len(runs)} runs", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

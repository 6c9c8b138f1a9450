"""GPT-2's loss and gradients by PyTorch from the weights of reckon train, against reckon's own.

usage: torch_reference.py RECKON MODEL.json TEXT

reckon trains one step of SGD without momentum, decay, clipping and rate: its checkpoint then holds the weights, unmoved, and as first moment
the gradients.  PyTorch computes both from the same weights and bytes.  Exit code 77 where there is no PyTorch (apt-get install python3-torch).
SPDX-License-Identifier: Apache-2.0
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy
    import torch
except ImportError as error:
    print(f"skipped: {error.name} is not installed (apt-get install python3-torch)")
    sys.exit(77)

SEQ_LEN, SEQUENCES, SEED = 32, 4, 1
MASK = (1 << 64) - 1


def state_of(path):
    """The weights and gradients of a shard, by unit and parameter."""
    with open(path, "rb") as f:
        assert f.readline() == b"reckon/checkpoint/1\n"
        header = json.loads(f.read(int(f.readline(), 16)))
        payload = f.read()
    pieces = {p["name"]: numpy.frombuffer(payload, numpy.float32, p["size"] // 4, p["offset"]) for p in header["pieces"]}
    out = []
    for kind in ("master", "first_moment"):
        out.append({f"{p['unit']}/{p['name']}": torch.tensor(pieces[f"{p['unit']}/{kind}"][p["offset"]:p["offset"] + p["rows"] * p["columns"]].reshape(p["rows"], p["columns"]).copy())
                    for p in header["parameters"]})
    return out


def sequences(text, held_back=0.1):
    """The first step's sequences (src/train/text_data.cpp)."""
    places = len(text) - int(len(text) * held_back) - SEQ_LEN
    for sample in range(SEQUENCES):
        z = (SEED * 0xD1342543DE82EF95 + 0x9E3779B97F4A7C15 + sample * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        z ^= z >> 31
        first = z % places
        yield list(text[first:first + SEQ_LEN + 1])


def loss_of(w, config, rows):
    """GPT-2 (Radford et al. 2019) by PyTorch's own functions."""
    f = torch.nn.functional
    width, heads = config["n_embd"], config["n_head"]
    x = w["tokens/weight"][rows[:, :-1]] + w["positions/weight"][:SEQ_LEN]
    for layer in range(config["n_layer"]):
        p = {name.split("/")[1]: value for name, value in w.items() if name.startswith(f"layer{layer}/")}
        n = f.layer_norm(x, (width,), p["norm1.weight"][0], p["norm1.bias"][0])
        q, k, v = (f.linear(n, p[f"{c}.weight"], p[f"{c}.bias"][0]).view(len(rows), SEQ_LEN, heads, -1).transpose(1, 2) for c in "qkv")
        scores = (q @ k.transpose(2, 3) / (width // heads) ** 0.5).masked_fill(torch.ones(SEQ_LEN, SEQ_LEN).triu(1).bool(), float("-inf"))
        a = (f.softmax(scores, 3) @ v).transpose(1, 2).reshape(len(rows), SEQ_LEN, width)
        x = x + f.linear(a, p["o.weight"], p["o.bias"][0])
        n = f.layer_norm(x, (width,), p["norm2.weight"][0], p["norm2.bias"][0])
        x = x + f.linear(f.gelu(f.linear(n, p["up.weight"], p["up.bias"][0]), approximate="tanh"), p["down.weight"], p["down.bias"][0])
    x = f.layer_norm(x, (width,), w["final/norm.weight"][0], w["final/norm.bias"][0])
    return f.cross_entropy(f.linear(x, w["tokens/weight"]).flatten(0, 1), rows[:, 1:].flatten())


def main():
    reckon, model, text_path = sys.argv[1:4]
    with open(model, encoding="utf-8") as f:
        config = json.load(f)
    config = config.get("config", config)
    with tempfile.TemporaryDirectory() as folder:
        command = [reckon, "train", "--model", model, "--text", text_path, "--seq-len", str(SEQ_LEN), "--mb", str(SEQUENCES), "--gb", str(SEQUENCES), "--steps", "1", "--seed", str(SEED),
                   "--optimizer", "sgd", "--learning-rate", "0", "--beta1", "0", "--weight-decay", "0", "--clip", "0", "--checkpoint", folder, "--json", "--quiet"]
        report = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        weights, gradients = state_of(os.path.join(folder, "step-00000001", "rank-00000.shard"))
    for value in weights.values():
        value.requires_grad_(True)
    with open(text_path, "rb") as f:
        rows = torch.tensor(list(sequences(f.read())))
    loss = loss_of(weights, config, rows)
    loss.backward()
    ours = report["steps"][0]["loss"]
    worst = 0.0
    for name, value in weights.items():
        if name.endswith("k.bias"):
            continue  # zero but for rounding: a softmax does not feel a shift of all its scores
        error = ((gradients[name] - value.grad).norm() / value.grad.norm()).item()
        worst = max(worst, error)
        if error > 1e-4:
            print(f"{name}: the gradient differs by {error:.1e}")
    print(f"loss {ours:.7f}, by PyTorch {loss.item():.7f}; worst gradient {worst:.1e} of {len(weights)} parameters")
    return 0 if abs(ours - loss.item()) <= 1e-4 * loss.item() and worst <= 1e-4 else 1


sys.exit(main())

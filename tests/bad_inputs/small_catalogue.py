"""A small, closed part of the catalogue: quick to read, so that a thousand cases take seconds.

SPDX-License-Identifier: Apache-2.0
"""

import json
import os
import shutil

FILES = {
    "devices": ["h100-sxm-80gb", "l40s"],
    "nodes": ["dgx-h100", "pcie-server-l40s"],
    "fabrics": ["infiniband-ndr", "roce-200"],
    "clusters": ["dgx-h100-superpod"],
    "prices": [],
    "calibrations": ["h100-sxm-80gb", "l40s"],
    "costs": ["defaults", "places"],
    "architectures": ["llama-2-7b", "llama-3-8b", "mixtral-8x7b", "gpt2", "resnet-50", "t5-base"],
}


def load(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def save(path, document):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(document, f, indent=1)


def used_sources(document, quotes):
    used = {quote["src"] for quote in quotes}
    return {key: source for key, source in document["sources"].items() if key in used}


def price_list(path, devices, most):
    """The first quotes of a price list for these devices."""
    document = load(path)
    quotes = [q for q in document["prices"] if q["device"] in devices][:most]
    return {**document, "prices": quotes, "sources": used_sources(document, quotes)}


def small_links(path):
    document = load(path)
    document["domains"] = {k: document["domains"][k] for k in ("h100", "default")}
    document["fabrics"] = {k: document["fabrics"][k] for k in ("infiniband", "default")}
    document["residuals"] = document["residuals"][:1]
    return document


def small_stacks(path):
    document = load(path)
    document.pop("generations")  # they name stacks that are left out
    document["stacks"] = {k: document["stacks"][k] for k in ("default", "megatron-lm-2022", "nemo-2024", "torchtitan")}
    for stack in document["stacks"].values():
        if "median_of" in stack:
            stack["median_of"] = ["nemo-2024", "torchtitan"]
    return document


def make_small_catalogue(source, target):
    models = os.path.join(source, "models")
    for folder, names in FILES.items():
        os.makedirs(os.path.join(target, folder))
        for name in names:
            shutil.copyfile(os.path.join(models, folder, name + ".json"), os.path.join(target, folder, name + ".json"))
    save(os.path.join(target, "calibrations", "links.json"), small_links(os.path.join(models, "calibrations", "links.json")))
    save(os.path.join(target, "calibrations", "stacks.json"), small_stacks(os.path.join(models, "calibrations", "stacks.json")))
    devices = FILES["devices"]
    for name, most in (("lambda", 3), ("purchase", 2)):
        save(os.path.join(target, "prices", name + ".json"), price_list(os.path.join(models, "prices", name + ".json"), devices, most))

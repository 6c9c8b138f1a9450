# The formulas of src/calibration/links.cpp over numpy arrays, for the fit.  Seconds and bytes; bandwidths in bytes/s.
# SPDX-License-Identifier: Apache-2.0
import numpy as np

HALVES = {"all_reduce": 2.0, "all_gather": 1.0, "reduce_scatter": 1.0}


def fill(path, steps, wire):
    half = steps * path["fill_size"]
    return path["fill"] * np.sqrt(steps) * wire / (wire + half)


def domain_ring(path, copy, halves, size, n, link):
    steps = halves * (n - 1)
    wire = steps * size / n
    time = path["base"] + steps * path["step"] + wire / (path["efficiency"] * link) + fill(path, steps, wire)
    return time + size / n / copy if copy else time


def domain_rings(domain, collective, size, n, link):
    """The fastest of the three protocols."""
    halves = HALVES[collective]
    return np.min([domain_ring(domain["low_latency"], None, halves, size, n, link), domain_ring(domain["mid"], None, halves, size, n, link),
                   domain_ring(domain["bulk"], domain["copy"][collective], halves, size, n, link)], axis=0)


def domain_time(domain, collective, size, n, link):
    size = np.asarray(size, float)
    n = np.asarray(n, float)
    if collective == "all_to_all":
        path = domain["all_to_all"]
        wire = (n - 1) * size / n
        return (path["base"] + (n - 1) * path["step"] + wire / (path["efficiency"] * link) + fill(path, 1.0, wire)
                + size / n / domain["copy"][collective])
    time = domain_rings(domain, collective, size, n, link)
    path = domain["in_switch"]
    if collective == "all_reduce" and path["efficiency"] > 0:
        switch = path["base"] + size / (path["efficiency"] * link) + fill(path, 1.0, size)
        time = np.where(n >= domain["in_switch_min_ranks"], np.minimum(time, switch), time)
    return time


def nic_share(fabric, group):
    nic = group["nic"] / group.get("oversubscription", 1.0)
    domains = np.ceil(group["n"] / group["r"])
    if fabric["loss_per_doubling"] > 0 and domains > fabric["loss_free_domains"]:
        nic /= 1 + fabric["loss_per_doubling"] * np.log2(domains / fabric["loss_free_domains"])
    return nic


def ring_across(domain, fabric, path, bulk, copy, halves, size, group):
    n, r, link = group["n"], group["r"], group["link"]
    domains = np.ceil(n / r)
    steps = halves * (n - 1)
    share = domains / n
    wire = steps * size / n
    protocol = 1.0 if bulk else min(1.0, path["efficiency"] / domain["bulk"]["efficiency"])
    bandwidth = r * nic_share(fabric, group) * fabric["ring_efficiency"] * protocol
    if r > 1:
        bandwidth = min(bandwidth, path["efficiency"] * link)
    nic_step = fabric["bulk_step"] if bulk else fabric["step"]
    time = fabric["base"] + path["base"] + steps * ((1 - share) * path["step"] + share * nic_step) + wire / bandwidth
    if bulk:
        time = time + fill(path, steps, wire) + fill(fabric, steps * share, wire)
        if copy:
            time = time + size / n / copy
    return time


def tree_across(domain, fabric, path, bulk, nic_efficiency, passes, nic_steps, size, group):
    n, r, link = group["n"], group["r"], group["link"]
    in_switch = bulk and domain["in_switch"]["efficiency"] > 0 and r >= domain["in_switch_min_ranks"]
    protocol = 1.0 if bulk else min(1.0, path["efficiency"] / domain["bulk"]["efficiency"])
    nic_wire = passes * size / r
    nic_time = nic_wire / (nic_efficiency * protocol * nic_share(fabric, group))
    chain = 0.0 if in_switch else 2.0 * (r - 1)
    if in_switch:
        link_time = size / (fabric["in_switch_retained"] * domain["in_switch"]["efficiency"] * link)
    else:
        link_time = 2.0 * (n - 1) / n * size / (path["efficiency"] * link) if r > 1 else 0.0
    inner = domain["in_switch"] if in_switch else path
    nic_step = fabric["bulk_step"] if bulk else fabric["step"]
    time = fabric["base"] + inner["base"] + chain * path["step"] + nic_steps * nic_step + np.maximum(nic_time, link_time)
    if bulk:
        time = time + fill(inner, max(chain, 1.0), size) + fill(fabric, nic_steps, nic_wire)
    return time


def across_time(domain, fabric, collective, size, group):
    """One group across domains; size may be an array, the group is one."""
    size = np.asarray(size, float)
    halves = HALVES[collective]
    paths = [(domain["bulk"], True), (domain["mid"], False), (domain["low_latency"], False)]
    times = [ring_across(domain, fabric, p, b, domain["copy"][collective] if b else None, halves, size, group) for p, b in paths]
    if collective == "all_reduce":
        domains = np.ceil(group["n"] / group["r"])
        in_switch = domain["in_switch"]["efficiency"] > 0 and group["r"] >= domain["in_switch_min_ranks"]
        passes = 1.0 if domains == 2 and (in_switch or fabric["tree_between_two"]) else 2.0
        steps = 2.0 * np.ceil(np.log2(domains))
        times += [tree_across(domain, fabric, p, b, fabric["tree_efficiency"], passes, steps, size, group) for p, b in paths]
        if group.get("in_network") and fabric["in_network_efficiency"] > 0:
            times.append(tree_across(domain, fabric, domain["bulk"], True, fabric["in_network_efficiency"], 1.0, 2.0, size, group))
    return np.min(times, axis=0)

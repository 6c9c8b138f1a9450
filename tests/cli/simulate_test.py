"""The simulator as users drive it: answers, files, ranks, and hostile input.  SPDX-License-Identifier: Apache-2.0"""
import csv
import json
import os
import unittest
import xml.dom.minidom

from reckon_cli import TemporaryFolderCase, main, reckon

STEP = ["simulate", "--model", "llama-3-8b", "--device", "h100", "--tp", "2", "--pp", "4", "--dp", "8", "--gb", "128"]
RUN = [*STEP, "--tokens", "1T", "--runs", "200"]

# (arguments, what the sentence must hold); every one ends with exit code 2 and writes nothing
HOSTILE = [
    ([*STEP, "--schedule", "2f2b"], "schedule"),
    ([*STEP, "--slow-devices", "64"], "64 devices"),
    ([*STEP, "--slow-devices", "x"], "slow-devices"),
    ([*STEP, "--slow-links", "-1"], "slow-links"),
    ([*STEP, "--slow-devices", "1", "--slow-by", "-5 %"], "slow-by"),
    ([*STEP, "--jitter", "nan"], "jitter"),
    ([*STEP, "--jitter", "2"], "jitter"),
    ([*STEP, "--runs", "10"], "--tokens"),
    ([*STEP, "--histogram", "h.svg"], "--tokens"),
    ([*STEP, "--trace", "t.json", "--most-events", "10"], "most-events"),
    ([*STEP, "--trace", "missing/t.json"], "missing"),
    ([*STEP, "--gb", "0"], "gb"),
    ([*STEP[:-2], "--gb", "100"], "100"),
    ([*STEP[:5], "--tp", "3", "--gb", "64"], "tensor_parallel 3"),
    ([*STEP[:5], "--pp", "100", "--gb", "6400"], "pipeline"),
    ([*RUN, "--restart", "-1 h"], "restart"),
    ([*RUN, "--failure-rate", "-1"], "failure-rate"),
    ([*RUN, "--sync-checkpoints", "--checkpoint-size", "1 TB", "--storage-bandwidth", "0 GB/s"], "storage-bandwidth"),
    ([*RUN, "--write-slowdown", "100 %"], "write"),
    ([*RUN, "--node-loss", "2"], "node-loss"),
    ([*RUN, "--checkpoint-interval", "0 s"], "checkpoint-interval"),
    ([*RUN, "--seed", "-3"], "seed"),
    ([*STEP, "--tokens", "0"], "tokens"),
    ([*STEP, "--samples", "5"], "tokens"),
    ([*STEP, "--contention", "--scatter", "--trace", ""], "not the name of a file"),
    ([*STEP, "--scatter"], "--contention"),
    ([*STEP, "--links", "l.csv"], "--contention"),
    ([*STEP, "--torus", "8x8"], "--contention"),
    ([*STEP, "--contention", "--torus", "8xa"], "8x8x16"),
    ([*STEP, "--contention", "--torus", "4x4"], "16 places"),
    ([*STEP, "--contention", "--torus", "8x8", "--scatter"], "--scatter"),
]


class Simulate(TemporaryFolderCase):
    def test_hostile_input_is_answered_with_place_and_reason_and_writes_nothing(self):
        for words, holds in HOSTILE:
            with self.subTest(" ".join(words[1:])):
                done = reckon(*words)
                self.assertEqual(done.returncode, 2, done.stderr + done.stdout[:300])
                self.assertIn(holds, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(os.listdir("."), [])

    def test_a_hopeless_run_is_infeasible_and_says_so(self):
        done = reckon(*RUN, "--failure-rate", "5")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("almost no time to train", done.stderr)

    def test_files_are_what_their_readers_expect(self):
        self.answer(*RUN, "--trace", "t.json", "--picture", "p.svg", "--memory", "m.csv", "--histogram", "h.svg", "--chakra", "et")
        with open("t.json", encoding="utf-8") as f:
            trace = json.load(f)
        kinds = {"X": {"name", "ph", "ts", "dur", "pid", "tid"}, "M": {"name", "ph", "pid", "args"}, "C": {"name", "ph", "ts", "pid", "args"}}
        self.assertLessEqual(len(trace["traceEvents"]), 1_000_000)
        spans = {}
        for event in trace["traceEvents"]:
            self.assertIn(event["ph"], kinds, event)
            self.assertLessEqual(kinds[event["ph"]], set(event), event)
            if event["ph"] == "X":
                self.assertGreaterEqual(event["dur"], 0)
                spans.setdefault((event["pid"], event["tid"]), []).append((event["ts"], event["ts"] + event["dur"]))
        self.assertEqual(len({pid for pid, _ in spans}), 4)  # stages
        for row in spans.values():  # spans of a row follow each other or nest: what Perfetto and Chrome ask of complete events
            open_ends = []
            for begin, end in sorted(row, key=lambda s: (s[0], -s[1])):
                while open_ends and open_ends[-1] <= begin + 1e-3:
                    open_ends.pop()
                self.assertTrue(not open_ends or end <= open_ends[-1] + 1e-3, (begin, end, open_ends[-1:]))
                open_ends.append(end)
        for name in ("p.svg", "h.svg"):
            self.assertEqual(xml.dom.minidom.parse(name).documentElement.tagName, "svg")
        with open("m.csv", encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.assertGreater(len(lines), 100)
        self.assertEqual({line.count(",") for line in lines}, {lines[0].count(",")})
        self.assertEqual([os.path.getsize(f"et.{i}.et") > 100 for i in range(4)], [True] * 4)
        refused = reckon(*STEP, "--trace", "t.json")
        self.assertEqual(refused.returncode, 2)
        self.assertIn("t.json", refused.stderr)

    def test_a_trace_keeps_to_its_limit(self):
        self.answer(*STEP, "--trace", "t.json", "--most-events", "1000")
        with open("t.json", encoding="utf-8") as f:
            self.assertLessEqual(len(json.load(f)["traceEvents"]), 1000)

    def test_ranks_do_not_change_the_answer(self):
        words = [*RUN, "--jitter", "3 %", "--slow-devices", "5", "--json"]
        one = self.answer(*words)
        for ranks in (2, 4):
            self.assertEqual(self.answer(*words, ranks=ranks), one)

    def test_contention_counts_model_parallel_messages_too(self):
        words = [*STEP[:5], "--tp", "8", "--pp", "4", "--dp", "32", "--gb", "512", "--contention", "--json"]
        fast = self.document(*words[:3], "--cluster", "dgx-h100-superpod", *words[5:])["contention"]
        kinds = [m["kind"] for m in fast["messages"]]
        self.assertEqual(kinds, ["tensor", "pipeline", "data"])
        self.assertTrue(all(m["slowdown"] > 1 - 1e-9 for m in fast["messages"]))
        self.assertAlmostEqual(fast["messages"][0]["slowdown"], 1)
        # transfers and reductions meet on the NICs: together they cost more than each kind alone
        self.assertGreaterEqual(fast["added_s"], max(fast["added_by_model_parallel_s"], fast["added_by_data_parallel_s"]))
        self.assertGreater(fast["messages"][1]["slowdown"], 1)
        self.assertTrue(all(0 < load["share"] <= 1 + 1e-9 for load in fast["busiest_links"]))

    def test_link_loads_are_written(self):
        self.answer(*STEP, "--contention", "--links", "l.csv")
        with open("l.csv", encoding="utf-8", newline="") as f:
            rows = list(csv.DictReader(f))
        shares = [float(row["share"]) for row in rows]
        self.assertGreater(len(rows), 0)
        self.assertEqual(shares, sorted(shares, reverse=True))
        self.assertTrue(all(float(row["bytes"]) > 0 and row["link"] for row in rows))

    def test_a_torus_joins_the_devices(self):
        words = ["simulate", "--model", "llama-3-8b", "--device", "tpu-v4", "--tp", "4", "--dp", "16", "--gb", "64", "--contention", "--json"]
        apart = self.document(*words, "--torus", "4x4x4")["contention"]
        self.assertIn("dimension", apart["busiest_links"][0]["link"])
        line = self.document(*words, "--torus", "64")["contention"]  # tensor and data groups on one ring
        self.assertGreaterEqual(line["added_s"], apart["added_s"])

    def test_predict_says_what_its_pipeline_rests_on(self):
        words = ["predict", *STEP[1:], "--schedule", "zb-2p", "--json"]
        said = [a for a in self.document(*words)["assumptions"] if a["name"] == "pipeline in time"]
        self.assertEqual(len(said), 1)
        self.assertIn("closed form", said[0]["value"])

    def test_every_schedule_runs(self):
        times = {}
        for schedule in ("gpipe", "1f1b", "zb-1p", "zb-2p", "zb-v", "dualpipe"):
            times[schedule] = self.document(*STEP, "--schedule", schedule, "--json")["step"]["simulated_s"]
        self.assertLess(times["zb-2p"], times["1f1b"])
        self.assertLess(times["zb-1p"], times["1f1b"])
        self.assertAlmostEqual(times["gpipe"] / times["1f1b"], 1, delta=0.02)


if __name__ == "__main__":
    main()

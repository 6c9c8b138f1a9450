"""What the commands answer: numbers that agree with each other, exit codes, messages.  SPDX-License-Identifier: Apache-2.0"""
import json
import math
import os
import unittest

from reckon_cli import SMALL_PLAN, SOURCES, TemporaryFolderCase, main, reckon

CONFIG = os.path.join(SOURCES, "experiments", "01-llama3-70b", "config.json")


class Plan(TemporaryFolderCase):
    def test_first_line_is_the_answer_and_numbers_agree(self):
        text = self.answer(*SMALL_PLAN, "--price", "$2.50/h")
        self.assertRegex(text.splitlines()[0], r"^llama-2-7b on 100B tokens: \d+ x NVIDIA H100.* train it in .*\$")
        d = self.document(*SMALL_PLAN, "--price", "$2.50/h", "--json")
        self.assertEqual(d["schema"], "reckon/plan/1")
        self.assertEqual([s["devices"] for s in d["sizes"]], [16, 64])
        for size in d["sizes"]:
            p = size["plan"]
            self.assertEqual(p["tensor_parallel"] * p["pipeline_parallel"] * p["context_parallel"] * p["data_parallel"], size["devices"])
            parts = sum(v for k, v in p.items() if k.startswith("time_"))
            self.assertTrue(math.isclose(parts, p["step_time_s"], rel_tol=1e-12))
            parts = sum(v for k, v in p.items() if k.startswith("memory_") and k != "memory_total_bytes")
            self.assertTrue(math.isclose(parts, p["memory_total_bytes"], rel_tol=1e-12))
            steps = math.ceil(100e9 / p["tokens_per_step"])
            self.assertEqual(p["steps"], steps)
            self.assertTrue(math.isclose(p["wall_time_s"], steps * p["step_time_s"] / p["goodput"], rel_tol=1e-12))
            self.assertTrue(math.isclose(p["device_hours"], size["devices"] * p["wall_time_s"] / 3600, rel_tol=1e-12))
            self.assertTrue(math.isclose(p["cost_usd"], p["device_hours"] * 2.5, rel_tol=1e-9))
            # MFU = FLOP / (time x devices x 989.4 TFLOP/s)
            self.assertTrue(math.isclose(p["mfu"], p["model_flops_flop"] / (p["step_time_s"] * size["devices"] * 989.4e12), rel_tol=1e-12))

    def test_twice_the_price_is_twice_the_cost(self):
        one = self.document(*SMALL_PLAN, "--price", "$2/h", "--json")
        two = self.document(*SMALL_PLAN, "--price", "$4/h", "--json")
        for a, b in zip(one["sizes"], two["sizes"]):
            self.assertAlmostEqual(2 * a["plan"]["cost_micro_usd"], b["plan"]["cost_micro_usd"], delta=1)

    def test_candidates_are_ordered_and_fit(self):
        d = self.document(*SMALL_PLAN, "--top", "5", "--json")
        usable = d["question"]["device_memory_bytes"] * (1 - d["question"]["memory_margin"])
        for n in (16, 64):
            times = [c["step_time_s"] for c in d["candidates"] if c["devices"] == n]
            self.assertEqual(len(times), 5)
            self.assertEqual(times, sorted(times))
        for c in d["candidates"]:
            self.assertLessEqual(c["memory_total_bytes"], usable)

    def test_restrictions_hold(self):
        d = self.document(*SMALL_PLAN, "--tp", "2", "--pp", "2,4", "--mb", "1", "--recompute", "full", "--json")
        for c in d["candidates"]:
            self.assertEqual((c["tensor_parallel"], c["micro_batch_size"], c["recompute"]), (2, 1, "full"))
            self.assertIn(c["pipeline_parallel"], (2, 4))
        self.assertEqual(d["question"]["restrictions"], "--tp 2 --pp 2,4 --mb 1 --recompute full")

    def test_config_json_gives_the_same_as_the_catalogue(self):
        words = ["--device", "h100", "--devices", "512", "--tokens", "15T", "--json"]
        by_file = self.document("plan", "--model", CONFIG, "--name", "llama-3-70b", *words)
        by_name = self.document("plan", "--model", "llama-3-70b", *words)
        self.assertEqual(by_file["candidates"], by_name["candidates"])
        self.assertEqual(by_file["question"], by_name["question"])

    def test_batch_in_tokens_is_rounded_to_sequences_and_said(self):
        d = self.document("plan", "--model", CONFIG, "--device", "h100", "--devices", "512", "--tokens", "15T", "--batch", "16M tokens", "--json")
        self.assertEqual(d["question"]["global_batch_size"], 2048)
        self.assertIn({"name": "global batch", "value": "2,048 sequences = 16.8M tokens", "basis": "given", "source": "--batch", "date": ""}, d["assumptions"])

    def test_deadline_met_by_the_smallest_cluster(self):
        d = self.document("plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8..512", "--tokens", "2T", "--deadline", "10 d", "--json")
        self.assertEqual(d["answer"]["kind"], "met")
        chosen = d["answer"]["devices"]
        for size in d["sizes"]:
            if size["plan"] is not None and size["devices"] < chosen:
                self.assertGreater(size["plan"]["wall_time_s"], 10 * 86400)
            if size["devices"] == chosen:
                self.assertLessEqual(size["plan"]["wall_time_s"], 10 * 86400)

    def test_demands_that_nothing_meets_end_with_3_and_say_what_is_missing(self):
        done = reckon(*SMALL_PLAN, "--deadline", "1 h", "--budget", "$100")
        self.assertEqual(done.returncode, 3)
        self.assertIn("too late", done.stdout)
        self.assertIn("too expensive", done.stdout)
        self.assertIn("Part by part", done.stdout)

    def test_no_plan_ends_with_3_and_names_the_nearest_miss_and_a_cure(self):
        done = reckon("plan", "--model", "llama-3.1-405b", "--device", "h100", "--devices", "16", "--tokens", "1T")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stdout.splitlines()[0], r"^No plan fits in memory: the nearest miss, 16 x .*needs \d+ GiB of 74.9 GiB")
        self.assertRegex(done.stdout.replace("\n  ", " "), r"\d+ devices fit in [\d.]+ GiB as tp")

    def test_a_size_that_no_strategy_divides_names_those_that_work(self):
        done = reckon("plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "12,1304", "--tokens", "1T")
        self.assertEqual(done.returncode, 3)
        self.assertIn("12 devices are not whole nodes of 8; the nearest sizes that work are 8 and 16", done.stdout.replace("\n  ", " "))
        self.assertIn("no strategy divides 1,304 devices", done.stdout)

    def test_a_cure_that_is_named_works(self):
        words = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8", "--tokens", "1T", "--seq-len", "32Ki", "--batch", "64",
                 "--tp", "1", "--pp", "1", "--cp", "1", "--mb", "1", "--sharding", "zero3"]
        done = reckon(*words, "--recompute", "none")
        self.assertEqual(done.returncode, 3)
        self.assertIn("With --recompute full it fits", done.stdout.replace("\n  ", " "))
        self.answer(*words, "--recompute", "full")

    def test_dry_run_names_everything_and_writes_nothing(self):
        text = self.answer(*SMALL_PLAN, "--out", "a.h5", "--dry-run")
        self.assertIn("2 sizes: 16 64", text)
        self.assertIn("would write a.h5", text)
        self.assertRegex(text, r"[\d,]+ strategies to decide")
        self.assertEqual(self.document(*SMALL_PLAN, "--out", "a.h5", "--dry-run", "--json")["files"], "a.h5")
        self.assertEqual(os.listdir("."), [])

    def test_every_model_of_the_catalogue_plans(self):
        for entry in self.document("catalog", "architectures", "--json")["architectures"]:
            with self.subTest(model=entry["id"]):
                words = ["plan", "--model", entry["id"], "--device", "h200", "--devices", "512", "--json"]
                by_tokens = reckon(*words, "--tokens", "1T")
                d = json.loads(by_tokens.stdout) if by_tokens.returncode == 0 else self.document(*words, "--samples", "1B")
                self.assertGreater(d["sizes"][0]["plan"]["mfu"], 0.005)
                self.assertLess(d["sizes"][0]["plan"]["mfu"], 0.9)

    def test_every_device_of_the_catalogue_plans(self):
        for entry in self.document("catalog", "devices", "--json")["devices"]:
            with self.subTest(device=entry["id"]):
                d = self.document("plan", "--model", "gpt2-xl", "--device", entry["id"], "--devices", "64", "--tokens", "1T", "--price", "$1/h", "--json")
                self.assertGreater(d["sizes"][0]["plan"]["mfu"], 0.005)
                self.assertLess(d["sizes"][0]["plan"]["mfu"], 0.9)
                self.assertEqual(d["question"]["precision"], "fp16" if entry["id"].startswith("v100") else "bf16")

    def test_a_million_devices_and_a_quadrillion_tokens(self):
        d = self.document("plan", "--model", "llama-3.1-405b", "--device", "b200", "--devices", "256..1M", "--tokens", "1000T", "--json")
        for size in d["sizes"]:
            if size["plan"] is not None:
                self.assertGreaterEqual(size["plan"]["cost_usd"], 1e9)
        self.assertIn("interruptions leave almost no time", "".join(size["remark"] for size in d["sizes"]))

    def test_models_without_tokens_are_counted_in_samples(self):
        d = self.document("plan", "--model", "resnet-50", "--device", "a100", "--devices", "8,16", "--samples", "100M", "--json")
        self.assertFalse(d["question"]["counts_tokens"])
        self.assertEqual(d["question"]["seq_len"], 0)


class Predict(TemporaryFolderCase):
    WORDS = ["predict", "--model", "llama-3-8b", "--device", "h100", "--tp", "2", "--gb", "512"]

    def test_agrees_with_the_plan_that_chose_the_strategy(self):
        d = self.document("plan", "--model", "llama-3-8b", "--device", "h100", "--devices", "64", "--tokens", "1T", "--json")
        p = d["sizes"][0]["plan"]
        words = ["predict", "--model", "llama-3-8b", "--device", "h100", "--json", "--gb", str(p["global_batch_size"]), "--tp", str(p["tensor_parallel"]),
                 "--pp", str(p["pipeline_parallel"]), "--cp", str(p["context_parallel"]), "--dp", str(p["data_parallel"]), "--vpp", str(p["virtual_stages"]),
                 "--mb", str(p["micro_batch_size"]), "--sharding", p["sharding"], "--recompute", p["recompute"]]
        q = self.document(*words)["prediction"]
        self.assertEqual(q["step_time_s"], p["step_time_s"])
        self.assertEqual(q["memory_total_bytes"], p["memory_total_bytes"])

    def test_devices_and_dp_are_two_ways_to_say_it(self):
        self.assertEqual(self.answer(*self.WORDS, "--dp", "32"), self.answer(*self.WORDS, "--devices", "64"))

    def test_what_does_not_fit_ends_with_3_and_prints_all_parts(self):
        done = reckon("predict", "--model", "llama-3-70b", "--device", "h100", "--tp", "8", "--gb", "512")
        self.assertEqual(done.returncode, 3)
        self.assertIn("does NOT fit", done.stdout)
        self.assertIn("optimizer states", done.stdout)

    def test_an_unsound_strategy_names_the_broken_rule(self):
        done = reckon(*self.WORDS, "--dp", "3")
        self.assertEqual(done.returncode, 2)
        self.assertIn("global_batch_size 512 is not a multiple of data_parallel 3", done.stderr)


class Catalog(TemporaryFolderCase):
    def test_lists_every_kind_with_entries(self):
        d = self.document("catalog", "--json")
        for kind in ("devices", "nodes", "fabrics", "clusters", "prices", "architectures", "stacks", "calibrations"):
            self.assertGreater(len(d[kind]), 3, kind)
            self.assertIn(f"{len(d[kind])} {kind}", self.answer("catalog", kind))

    def test_an_entry_names_its_sources(self):
        d = self.document("catalog", "devices", "h100", "--json")
        self.assertEqual(d["id"], "h100-sxm-80gb")
        self.assertTrue(d["facts"]["memory_bandwidth"]["source"]["url"].startswith("https://"))
        self.assertIn("[1]", self.answer("catalog", "h100"))

    def test_every_entry_has_details(self):
        for kind, entries in self.document("catalog", "--json").items():
            if kind in ("schema", "prices"):
                continue
            first, last = entries[0], entries[-1]
            for entry in (first, last):
                self.answer("catalog", kind, entry.get("id", entry.get("device")))

    def test_an_unknown_name_gets_a_suggestion(self):
        for words, near in ((["h10"], "h100"), (["nodes", "dgx-h10"], "dgx-h100"), (["devises"], "devices")):
            done = reckon("catalog", *words)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"did you mean '{near}'", done.stderr)


class ExitCodes(TemporaryFolderCase):
    """Wrong input ends with 2, says what, and prints nothing on stdout."""

    CASES = [
        (["plam"], "did you mean 'plan'"),
        (["plan", "--tokns", "1T"], "did you mean '--tokens'"),
        (["plan", "--device", "h100", "--tokens", "1T"], "--model"),
        (["plan", "--model", "llama-2-7b", "--tokens", "1T"], "--cluster NAME or --device NAME"),
        (["plan", "--model", "llama-2-7b", "--device", "h100"], "--tokens"),
        (["plan", "--model", "lama-2-7b", "--device", "h100", "--tokens", "1T"], "did you mean 'llama-2-7b'"),
        (["plan", "--model", "llama-2-7b", "--device", "h1000", "--tokens", "1T"], "h100"),
        (["plan", "--model", "llama-2-7b", "--cluster", "h100", "--device", "h100", "--tokens", "1T"], "both"),
        (SMALL_PLAN + ["--price", "2.50"], "--price"),
        (SMALL_PLAN + ["--price", "$2.50"], "--price"),
        (SMALL_PLAN + ["--price-id", "nobody"], "nobody"),
        (SMALL_PLAN + ["--devices", "64"], "given twice"),
        (SMALL_PLAN[:-4] + ["--devices", "-1", "--tokens", "1T"], "--devices"),
        (SMALL_PLAN[:-4] + ["--devices", "512..64", "--tokens", "1T"], "runs backwards"),
        (SMALL_PLAN[:-4] + ["--devices", "0", "--tokens", "1T"], "--devices"),
        (SMALL_PLAN + ["--pue", "0.5"], "--pue"),
        (SMALL_PLAN + ["--deadline", "30"], "--deadline"),
        (SMALL_PLAN + ["--deadline", "0 d"], "no time"),
        (SMALL_PLAN + ["--precision", "fp7"], "--precision"),
        (SMALL_PLAN + ["--precision", "nvfp4"], "choose one of"),
        (SMALL_PLAN + ["--seq-len", "0"], "--seq-len"),
        (SMALL_PLAN + ["--samples", "5"], "--tokens"),
        (SMALL_PLAN + ["--lora-rank", "8"], "--training lora"),
        (SMALL_PLAN + ["--recompute", "some"], "--recompute"),
        (SMALL_PLAN + ["--top", "0"], "--top"),
        (SMALL_PLAN + ["--stack", "megatron"], "stack"),
        (SMALL_PLAN + ["extra"], "extra"),
        (SMALL_PLAN + ["--out", "nowhere/a.h5"], "nowhere"),
        (["plan", "--model", "gpt3-175b", "--cluster", "jean-zay-bloom", "--devices", "100000", "--tokens", "1T"], "has"),
        (["show", "missing.h5"], "missing.h5"),
        (["verify"], "FILE"),
        (["catalog", "devices", "h100", "more"], "more"),
        (["help", "plann"], "did you mean 'plan'"),
    ]

    def test_wrong_input(self):
        for words, part in self.CASES:
            with self.subTest(words=" ".join(words)):
                done = reckon(*words)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertIn(part, done.stderr)
                self.assertLessEqual(len(done.stderr.splitlines()), 3)

    def test_a_broken_config_names_file_and_pointer(self):
        with open(CONFIG) as f:
            config = json.load(f)
        for key, value, place in (("hidden_size", "8192", "/hidden_size"), ("num_hidden_layers", -3, "/num_hidden_layers"), ("model_type", "lama", "/model_type")):
            with open("config.json", "w") as f:
                json.dump({**config, key: value}, f)
            done = reckon("plan", "--model", "config.json", "--device", "h100", "--tokens", "1T")
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"config.json at {place}", done.stderr)

    def test_existing_files_are_kept_without_force(self):
        with open("a.h5", "w") as f:
            f.write("mine")
        done = reckon(*SMALL_PLAN, "--out", "a.h5")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--force", done.stderr)
        with open("a.h5") as f:
            self.assertEqual(f.read(), "mine")
        self.answer(*SMALL_PLAN, "--out", "a.h5", "--force")
        self.answer("verify", "a.h5")

    def test_no_device_is_code_4_or_an_answer(self):
        done = reckon("device")
        self.assertIn(done.returncode, (0, 4))
        self.assertTrue(done.stdout if done.returncode == 0 else done.stderr)

    def test_version_has_a_machine_form(self):
        self.assertRegex(self.answer("--version"), r"^reckon \d+\.\d+\.\d+ \(git ")
        self.assertEqual(self.document("--version", "--json")["schema"], "reckon/version/1")


if __name__ == "__main__":
    main()

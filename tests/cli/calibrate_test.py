"""reckon calibrate and import as users drive them, and predictions from what they wrote.  SPDX-License-Identifier: Apache-2.0"""
import json
import os

from reckon_cli import SOURCES, TemporaryFolderCase, environment, main, reckon

MODEL = os.path.join(SOURCES, "experiments", "training", "tiny-gpt.json")
TEXT = os.path.join(SOURCES, "experiments", "README.md")
ONE_THREAD = environment(OMP_NUM_THREADS="1")
QUESTION = ["--model", MODEL, "--seq-len", "32", "--mb", "2", "--gb", "8", "--precision", "fp32"]


class Calibrate(TemporaryFolderCase):
    def test_one_rank_measures_and_predicts(self):
        text = self.answer("calibrate", "--quick", "--quiet", "--out", "one.json", "--folder", ".", "--storage-size", "64 KiB", env=ONE_THREAD)
        self.assertIn("fp32", text)
        self.assertIn("checkpoint write", text)
        with open("one.json", encoding="utf-8") as file:
            document = json.load(file)
        self.assertEqual(document["format"], "reckon/calibration/1")
        self.assertEqual(document["machine"]["ranks"], 1)
        self.assertGreater(len(document["samples"]["gemm"]), 10)
        self.assertEqual(sorted(os.listdir(".")), ["one.json"])

        prediction = self.document("predict", "--calibration", "one.json", *QUESTION, "--json")
        self.assertGreater(prediction["prediction"]["step_time_s"], 0)
        said = {a["name"]: a["basis"] for a in prediction["assumptions"]}
        self.assertEqual(said["memory-bound kernels and attention"], "measured")
        self.assertEqual(said["links inside a node"], "derived")
        self.answer("plan", "--calibration", "one.json", "--model", MODEL, "--seq-len", "32", "--batch", "8", "--precision", "fp32", "--devices", "1", "--tokens", "1M", "--price", "$1/h",
                    "--power", "100 W")

    def test_shapes_of_a_model_are_measured_beside_the_grid(self):
        shapes = ["--model", MODEL, "--seq-len", "24,48", "--mb", "2", "--tp", "1,2,7"]
        self.answer("calibrate", "--quick", "--quiet", "--parts", "compute", "--precisions", "fp32", *shapes, "--out", "own.json", env=ONE_THREAD)
        with open("own.json", encoding="utf-8") as file:
            samples = json.load(file)["samples"]
        with open(MODEL, encoding="utf-8") as file:
            model = json.load(file)
        width, heads = model["n_embd"], model["n_head"]
        forward = {(s["m"], s["n"], s["k"]) for s in samples["gemm"] if s["role"] == "forward"}
        for tokens in (48, 96):
            for tensor in (1, 2):
                self.assertIn((tokens, 3 * width / tensor, width), forward)
        attention = {(s["sequences"], s["heads"], s["seq_q"]) for s in samples["attention"]}
        self.assertLessEqual({(2, heads / tensor, tokens) for tokens in (24, 48) for tensor in (1, 2)}, attention)

    def test_two_ranks_measure_their_messages(self):
        self.answer("calibrate", "--quick", "--quiet", "--precisions", "fp32", "--out", "two.json", ranks=2, env=ONE_THREAD)
        with open("two.json", encoding="utf-8") as file:
            document = json.load(file)
        operations = {s["operation"] for s in document["samples"]["links"]}
        self.assertEqual(operations, {"all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "point_to_point"})
        self.assertEqual(len(document["samples"]["overlap"]), 3)
        prediction = self.document("predict", "--calibration", "two.json", *QUESTION, "--tp", "2", "--json")
        self.assertGreater(prediction["prediction"]["time_exposed_tensor_s"], 0)

    def test_what_cannot_be_done_is_said_before_it_is_tried(self):
        self.answer("calibrate", "--quick", "--quiet", "--parts", "compute", "--precisions", "fp32", "--out", "cpu.json", env=ONE_THREAD)
        for words, said in ((["calibrate", "--out", "cpu.json"], "--force"), (["calibrate", "--out", "no/such/folder.json"], "folder"),
                            (["calibrate", "--out", "x.json", "--tp", "2"], "goes with --model"),
                            (["calibrate", "--out", "x.json", "--model", MODEL, "--tp", "7"], "cannot be split"),
                            (["calibrate", "--out", "x.json", "--model", "llama-3-70b"], "too long to measure"),
                            (["calibrate", "--out", "x.json", "--model", "llama-3-70b", "--seq-len", "1"], "too large to measure"),
                            (["calibrate", "--out", "x.json", "--parts", "compute,magic"], "magic"), (["calibrate", "--out", "x.json", "--largest-message", "1"], "largest-message"),
                            (["predict", "--calibration", "cpu.json", "--device", "h100", *QUESTION], "place of their own"),
                            (["predict", "--calibration", "missing.json", *QUESTION], "missing.json")):
            done = reckon(*words)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn(said, done.stderr)
        with open("cpu.json", encoding="utf-8") as file:
            text = file.read()
        with open("cpu.json", "w", encoding="utf-8") as file:
            file.write(text.replace('"ranks": 1', '"ranks": "one"'))
        done = reckon("predict", "--calibration", "cpu.json", *QUESTION)
        self.assertEqual(done.returncode, 2)
        self.assertIn("/machine/ranks", done.stderr)

    def test_an_imported_file_takes_the_place_of_published_links(self):
        rows = "".join(f"{size} {size // 4} float sum -1 {20 + size / 1e5:.2f} 1 1 0 {20 + size / 1e5:.2f} 1 1 0\n" for size in (1 << k for k in range(10, 28)))
        ranks = "".join(f"#  Rank  {r} Group  0 Pid  1 on  node1 device  {r} [0000:00:00] NVIDIA H100 80GB HBM3\n" for r in range(8))
        with open("all_reduce.txt", "w", encoding="utf-8") as file:
            file.write("# Collective test starting: all_reduce_perf\n# nThread 1 nGpus 8\n" + ranks + "# size count type redop root time algbw busbw #wrong\n" + rows)
        self.answer("import", "all_reduce.txt", "--device", "h100-sxm-80gb", "--out", "links.json")
        question = ["predict", "--model", "llama-3-8b", "--device", "h100", "--tp", "8", "--gb", "8", "--no-sp"]
        imported = self.document(*question, "--calibration", "links.json", "--json")
        published = self.document(*question, "--json")
        self.assertNotEqual(imported["prediction"]["time_exposed_tensor_s"], published["prediction"]["time_exposed_tensor_s"])
        self.assertEqual(imported["prediction"]["time_forward_s"], published["prediction"]["time_forward_s"])
        self.assertIn("links.json", {a["name"]: a["source"] for a in imported["assumptions"]}["links inside a node"])


if __name__ == "__main__":
    main()

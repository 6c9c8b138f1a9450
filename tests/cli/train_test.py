"""reckon train as users drive it: losses over ranks, restart after a kill bit by bit, bad input, full disk.  SPDX-License-Identifier: Apache-2.0"""
import json
import os
import resource
import shutil
import signal
import subprocess
import time
import unittest

from reckon_cli import BINARY, SOURCES, TemporaryFolderCase, environment, main, reckon

MODELS = os.path.join(SOURCES, "experiments", "training")
TEXT = os.path.join(SOURCES, "experiments", "README.md")
ONE_THREAD = environment(OMP_NUM_THREADS="1")


def train(model, *options):
    return ["train", "--model", os.path.join(MODELS, f"tiny-{model}.json"), "--text", TEXT, "--seq-len", "32", "--mb", "2", "--gb", "8", "--quiet", *options]


class Train(TemporaryFolderCase):
    def losses(self, *words, ranks=0):
        document = self.document(*words, "--json", ranks=ranks, env=ONE_THREAD)
        return [step["loss"] for step in document["steps"]]

    def test_the_loss_falls_and_is_that_of_one_rank(self):
        for model, options in (("gpt", ("--tp", "2")), ("llama", ("--pp", "2")), ("llama", ("--cp", "2")), ("experts", ("--ep", "2", "--sharding", "zero3"))):
            with self.subTest(model=model, options=options):
                alone = self.losses(*train(model, "--steps", "20"))
                together = self.losses(*train(model, "--steps", "20", *options), ranks=2)
                self.assertEqual(len(alone), 20)
                self.assertLess(alone[-1], alone[0] - 0.5)
                for a, b in zip(alone, together):
                    self.assertAlmostEqual(a, b, delta=1e-4 * a)

    def test_the_answer_says_what_was_trained_and_where_the_time_went(self):
        document = self.document(*train("gpt", "--steps", "4", "--validate-every", "2", "--json"), env=ONE_THREAD)
        self.assertEqual(document["schema"], "reckon/training/1")
        self.assertEqual([v["step"] for v in document["validation"]], [2, 4])
        for step in document["steps"]:
            seconds = dict(step["seconds"])
            total = seconds.pop("total")
            self.assertGreater(min(seconds["forward"], seconds["backward"], seconds["optimizer"]), 0)
            self.assertLess(sum(seconds.values()), 1.05 * total + 1e-3)
        text = self.answer(*train("gpt", "--steps", "4"), env=ONE_THREAD)
        for word in ("loss", "tokens/s", "forward", "backward", "optimizer"):
            self.assertIn(word, text)
        done = reckon(*[w for w in train("gpt", "--steps", "3") if w != "--quiet"], env=ONE_THREAD)
        self.assertIn("step 3 of 3: loss", done.stderr)

    def test_a_killed_run_goes_on_bit_by_bit(self):
        for options in ((), ("--tp", "2"), ("--pp", "2", "--precision", "bf16"), ("--sharding", "zero3")):
            with self.subTest(options=options):
                ranks = 2 if options else 0
                command = train("llama", "--steps", "40", "--checkpoint-every", "3", *options)
                whole = self.losses(*command, "--checkpoint", "whole", ranks=ranks)
                start = (["mpiexec", "-n", "2"] if ranks else []) + [BINARY, *command, "--checkpoint", "killed", "--json"]
                process = subprocess.Popen(start, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
                deadline = time.monotonic() + 60
                while not os.path.exists("killed/step-00000006/complete.json") and not os.path.exists("killed/step-00000009/complete.json"):
                    self.assertLess(time.monotonic(), deadline)
                    if process.poll() is not None:
                        break
                    time.sleep(0.002)
                # All of its processes: mpiexec puts the ranks below helpers with sessions of their own.
                for child in descendants(process.pid):
                    try:
                        os.kill(child, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                process.wait()
                rest = self.losses(*command, "--checkpoint", "killed", ranks=ranks)
                self.assertLess(len(rest), 40)
                if rest:
                    self.assertEqual(rest, whole[-len(rest):])
                last = sorted(os.listdir("whole"))[-1]
                for name in os.listdir(os.path.join("whole", last)):
                    with open(os.path.join("whole", last, name), "rb") as a, open(os.path.join("killed", last, name), "rb") as b:
                        self.assertEqual(a.read(), b.read(), name)
                self.assertEqual(len(os.listdir("whole")), 2)
                shutil.rmtree("whole")
                shutil.rmtree("killed")

    def test_a_signal_ends_a_run_after_its_step_and_it_goes_on(self):
        command = train("llama", "--steps", "200", "--checkpoint-every", "200")
        whole = self.losses(*command, "--checkpoint", "whole")
        for number in (signal.SIGTERM, signal.SIGUSR1):
            process = subprocess.Popen([BINARY, *command, "--checkpoint", "run"], env=ONE_THREAD, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            time.sleep(0.5)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            self.assertEqual((process.returncode, out), (6, ""), err)
            self.assertIn("stopped after step", err)
            self.assertIn("the same command goes on", err)
        step = int(sorted(os.listdir("run"))[-1].split("-")[1])
        rest = self.losses(*command, "--checkpoint", "run")
        self.assertEqual(rest, whole[step:])

    def refused(self, words, code, *parts, ranks=0, **options):
        done = reckon(*words, ranks=ranks, env=options.pop("env", ONE_THREAD), **options)
        self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)
        self.assertNotIn("internal", done.stderr)

    def test_bad_input_is_named_with_a_cure(self):
        self.refused(["train", "--model", "gpt2"], 2, "--text")
        self.refused(train("gpt", "--text", "missing.txt")[:-1] + ["x"], 2)
        self.refused(["train", "--text", "missing.txt"], 2, "missing.txt")
        self.refused(["train", "--text", "."], 2, "folder")
        write("short.txt", b"too short")
        self.refused(["train", "--text", "short.txt", "--model", os.path.join(MODELS, "tiny-gpt.json")], 2, "short.txt", "--seq-len")
        self.refused(["train", "--text", TEXT, "--model", "deepseek-v3"], 2, "latent attention", "cure")
        self.refused(["train", "--text", TEXT, "--model", "bert-base"], 2, "cure")
        self.refused(train("gpt", "--tp", "2"), 2, "2 ranks", "mpiexec -n 2")
        self.refused(train("gpt", "--tp", "3"), 2, "heads", ranks=0)
        self.refused(train("gpt", "--precision", "fp8"), 2, "fp32")
        self.refused(train("gpt", "--checkpoint-every", "5"), 2, "--checkpoint")
        self.refused(train("llama", "--pp", "2", "--vpp", "2", "--gb", "6", "--schedule", "interleaved-1f1b")[:-2], 2, ranks=2)
        self.refused(train("gpt", "--learning-rate", "1000", "--clip", "0", "--steps", "60", "--optimizer", "sgd"), 2, "diverged", "--learning-rate")

    def test_checkpoints_of_other_runs_and_damaged_ones_are_refused(self):
        command = train("gpt", "--steps", "4", "--checkpoint", "run")
        self.answer(*command, env=ONE_THREAD)
        self.assertIn("all 4 steps", self.answer(*command, env=ONE_THREAD))
        self.refused(train("gpt", "--steps", "4", "--checkpoint", "run", "--seed", "2"), 2, "seed is 1, here it is 2", "--checkpoint")
        self.refused(train("llama", "--steps", "4", "--checkpoint", "run"), 2, "another run")
        self.refused(train("gpt", "--steps", "4", "--checkpoint", "run", "--tp", "2"), 2, "number of ranks is 1", ranks=2)
        shard = "run/step-00000004/rank-00000.shard"
        with open(shard, "rb") as f:
            image = bytearray(f.read())
        image[-5] ^= 1
        write(shard, image)
        self.refused(command, 2, shard, "damaged")
        write(shard, image[:1000])
        self.refused(command, 2, shard, "damaged")
        write(shard, b"something else")
        self.refused(command, 2, shard)
        os.remove(shard)
        self.refused(command, 2, shard)
        write("file", b"")
        self.refused(train("gpt", "--checkpoint", "file"), 2, "folder")

    def test_a_full_disk_ends_the_run_and_leaves_the_last_checkpoint(self):
        limit = 400_000  # bytes a file: less than a shard

        def limited():
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        done = reckon(*train("gpt", "--steps", "4", "--checkpoint", "run"), env=ONE_THREAD, preexec_fn=limited)
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn("rank-00000.shard", done.stderr)
        self.assertEqual([f for _, _, files in os.walk("run") for f in files], [])

    def test_torch_has_the_same_loss_and_gradients(self):
        script = os.path.join(os.path.dirname(__file__), "torch_reference.py")
        done = subprocess.run(["/usr/bin/python3", script, BINARY, os.path.join(MODELS, "tiny-gpt.json"), TEXT], env=ONE_THREAD, capture_output=True, text=True, timeout=300)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


def write(path, image):
    with open(path, "wb") as f:
        f.write(image)


def descendants(pid):
    """`pid` and all processes below it, read from /proc."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                    parent = int(f.read().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(entry))
            except (OSError, IndexError):
                pass
    out, todo = [], [pid]
    while todo:
        out.append(todo.pop())
        todo += children.get(out[-1], [])
    return out


if __name__ == "__main__":
    main()

"""Every example that a help text prints is run as it stands.  SPDX-License-Identifier: Apache-2.0"""
import os
import subprocess
import unittest

from reckon_cli import BINARY, SOURCES, TemporaryFolderCase, environment, main, reckon


class Examples(TemporaryFolderCase):
    def test_every_example_of_every_help_runs(self):
        os.symlink(os.path.join(SOURCES, "experiments"), "experiments")
        examples = self.answer("help", "--examples").splitlines()
        self.assertGreaterEqual(len(examples), 20)
        env = environment(PATH=os.path.dirname(BINARY) + os.pathsep + os.environ["PATH"])
        for example in examples:
            with self.subTest(example=example):
                self.assertTrue(example.startswith("reckon "))
                done = subprocess.run(["bash", "-c", example], env=env, capture_output=True, text=True, timeout=600)
                self.assertEqual(done.returncode, 0, done.stdout[-1000:] + done.stderr[-1000:])
                self.assertTrue(done.stdout.strip(), "no answer")

    def test_every_command_shows_its_examples_and_options(self):
        overview = self.answer("--help")
        commands = [line.split()[0] for line in overview.split("Commands", 1)[1].splitlines() if line.startswith("  ") and not line.startswith("   ")]
        self.assertGreaterEqual(set(commands), {"plan", "predict", "validate", "fit", "show", "verify", "catalog", "device", "version", "help"})
        for command in commands:
            with self.subTest(command=command):
                text = self.answer(command, "--help")
                self.assertIn(f"Usage: reckon {command}", text)
                self.assertEqual(self.answer("help", command), text)
                self.assertLessEqual(max(len(line) for line in text.splitlines()), 100)

    def test_alone_it_prints_ten_lines_with_three_examples_and_exit_code_2(self):
        done = reckon()
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertLessEqual(len(done.stderr.splitlines()), 10)
        self.assertEqual(sum(line.strip().startswith("reckon ") and line.startswith("  ") for line in done.stderr.splitlines()), 3)

    def test_completion_knows_every_command(self):
        for shell in ("bash", "zsh", "fish"):
            text = self.answer("completion", shell)
            for word in ("plan", "predict", "catalog"):
                self.assertIn(word, text)
        subprocess.run(["bash", "-n"], input=self.answer("completion", "bash"), text=True, check=True)


if __name__ == "__main__":
    main()

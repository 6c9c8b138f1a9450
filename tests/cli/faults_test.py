"""Kills, full disks and strange surroundings.  Called with the program and the fault shim.  SPDX-License-Identifier: Apache-2.0"""
import os
import signal
import subprocess
import sys
import unittest

SHIM = os.path.abspath(sys.argv.pop(2))

from reckon_cli import BINARY, SMALL_PLAN, TemporaryFolderCase, environment, main, reckon  # noqa: E402


def content(path):
    with open(path, "rb") as f:
        return f.read()


def leftovers():
    return sorted(name for name in os.listdir(".") if ".tmp." in name)


class Faults(TemporaryFolderCase):
    """A plan replaces old results, and is struck at each write, fsync, close and rename, one after the other."""

    WORDS = [*SMALL_PLAN, "--price", "$3/h", "--out", "a.h5", "--report", "a.txt", "--force", "--quiet"]

    def prepare(self):
        self.answer(*SMALL_PLAN, "--price", "$2/h", "--out", "old.h5", "--report", "old.txt")
        self.answer(*SMALL_PLAN, "--price", "$3/h", "--out", "new.h5", "--report", "new.txt")
        self.h5 = {content("old.h5"), content("new.h5")}
        self.txt = {content("old.txt"), content("new.txt")}
        self.assertEqual(len(self.h5), 2)

    def struck(self, fault):
        """Yields the process for every call that can be struck, until one ends untouched."""
        for at in range(1, 200):
            for name in ("h5", "txt"):
                with open("a." + name, "wb") as f:
                    f.write(content("old." + name))
            env = environment(LD_PRELOAD=SHIM, RECKON_FAULT_AT=str(at), RECKON_FAULT=fault, ASAN_OPTIONS="verify_asan_link_order=0")
            done = reckon(*self.WORDS, env=env)
            self.assertIn(content("a.h5"), self.h5, f"{fault} at {at}")
            self.assertIn(content("a.txt"), self.txt, f"{fault} at {at}")
            if done.returncode == 0:
                self.assertGreater(at, 8, "the shim struck nothing")
                return
            yield at, done
        self.fail("no end of calls")

    def test_kill_leaves_the_old_file_or_the_new(self):
        self.prepare()
        for fault in ("kill", "torn"):
            for at, done in self.struck(fault):
                self.assertEqual(done.returncode, -signal.SIGKILL, f"{fault} at {at}: {done.stderr}")
                self.answer("verify", "a.h5")
        self.answer(*self.WORDS)  # the next run sweeps
        self.assertEqual(leftovers(), [])

    def test_errors_end_with_5_and_leave_no_temporary(self):
        self.prepare()
        for errno in ("28", "5", "122"):  # ENOSPC, EIO, EDQUOT
            for at, done in self.struck(errno):
                self.assertEqual(done.returncode, 5, f"errno {errno} at {at}: {done.stderr}")
                self.assertEqual(leftovers(), [], f"errno {errno} at {at}")
                self.assertEqual(done.stdout, "")


class Surroundings(TemporaryFolderCase):
    def test_a_full_stdout_is_code_5(self):
        with open("/dev/full", "w") as full:
            for words in (SMALL_PLAN, ["--help"], ["catalog"], ["version"]):
                done = reckon(*words, stdout=full)
                self.assertEqual(done.returncode, 5, words)
                self.assertIn("No space left", done.stderr)

    def test_a_closed_stdout_is_code_5(self):
        done = subprocess.run(["bash", "-c", f"'{BINARY}' catalog >&-"], env=environment(), capture_output=True, text=True)
        self.assertEqual(done.returncode, 5)

    def test_a_reader_that_leaves_is_no_error(self):
        script = f"'{BINARY}' catalog | head -n 1; echo ${{PIPESTATUS[0]}}"
        done = subprocess.run(["bash", "-c", script], env=environment(), capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines()[-1], "0")
        self.assertEqual(done.stderr, "")

    def test_home_locale_time_zone_and_terminal_do_not_matter(self):
        expected = self.answer(*SMALL_PLAN)
        for env in (environment(HOME=None), environment(LC_ALL="de_DE.UTF-8", LANG="de_DE.UTF-8"), environment(TZ="Pacific/Apia"), environment(TERM=None, COLUMNS="20")):
            self.assertEqual(self.answer(*SMALL_PLAN, env=env), expected)
        self.assertEqual(self.answer(*SMALL_PLAN, stdin=subprocess.DEVNULL), expected)

    def test_stderr_is_silent_on_short_work(self):
        self.assertEqual(reckon(*SMALL_PLAN).stderr, "")

    def test_every_rank_ends_with_the_same_code_and_one_speaks(self):
        done = reckon(*SMALL_PLAN, "--precision", "nvfp4", ranks=3)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("choose one of"), 1)
        done = reckon(*SMALL_PLAN, "--budget", "$1", ranks=3)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stdout.count("No listed size"), 1)
        for words in (["--help"], ["plan", "--help"], ["--version"], ["catalog", "devices"]):
            self.assertEqual(self.answer(*words, ranks=3), self.answer(*words))
        done = reckon("plan", "--tokns", "1T", ranks=3)
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count("did you mean"), 1)

    def test_singletons_that_slurm_started_are_refused(self):
        env = environment(SLURM_NTASKS="2", SLURM_PROCID="0", SLURM_STEP_ID="0", SLURM_STEP_NUM_TASKS="2")
        done = reckon(*SMALL_PLAN, env=env)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--mpi=pmi2", done.stderr)
        self.answer(*SMALL_PLAN, "--allow-singleton", env=env)


if __name__ == "__main__":
    main()

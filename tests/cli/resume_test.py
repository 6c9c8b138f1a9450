"""Plans that are shared, killed, stopped and taken up again.  RECKON_STRIKES says how often (default 4; the slow test strikes 200 times).
SPDX-License-Identifier: Apache-2.0"""
import hashlib
import os
import random
import signal
import subprocess
import sys
import time

from reckon_cli import BINARY, TemporaryFolderCase, environment, main, reckon

STRIKES = int(os.environ.get("RECKON_STRIKES", "4"))
SEED = int(os.environ.get("RECKON_SEED", "20"))  # of the moments at which it strikes
# Some thirty parts, a second of work.
PLAN = ["plan", "--model", "llama-3.1-405b", "--device", "h100", "--devices", "1024..4096+512", "--tokens", "15T", "--space", "whole", "--top", "3",
        "--quiet"]
GRACE = 5.0  # seconds from a signal to the end


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def descendants(pid):
    out = []
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            for child in f.read().split():
                out += [int(child), *descendants(int(child))]
    except OSError:
        pass
    return out


def ranks_of(pid):
    """The processes of the program itself below mpiexec."""
    out = []
    for child in descendants(pid):
        try:
            if os.readlink(f"/proc/{child}/exe") == os.path.realpath(BINARY):
                out.append(child)
        except OSError:
            pass
    return out


def start(words, ranks=0):
    command = (["mpiexec", "-n", str(ranks)] if ranks else []) + [BINARY, *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def listens(pid):
    """The process has its handler of SIGTERM."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            caught = next(line for line in f if line.startswith("SigCgt:"))
        return int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1 == 1
    except (OSError, StopIteration):
        return False


def ready(process, ranks):
    """All ranks have been started and have their handlers; before that a signal ends mpiexec itself."""
    pids = ranks_of(process.pid) if ranks else [process.pid]
    return len(pids) == max(1, ranks) and all(listens(pid) for pid in pids)


class Resume(TemporaryFolderCase):
    expected, seconds = "", 1.0

    @classmethod
    def setUpClass(cls):
        cls.random = random.Random(SEED)

    def whole(self):
        """The digest of the file of an unbroken run, and its seconds."""
        if not Resume.expected:
            begin = time.monotonic()
            self.answer(*PLAN, "--out", "whole.h5", ranks=4)
            Resume.seconds = time.monotonic() - begin
            self.assertFalse(os.path.exists("whole.h5.journal"))
            Resume.expected = digest("whole.h5")
        return Resume.expected

    def finish(self, words, ranks):
        done = reckon(*words, ranks=ranks)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertFalse(os.path.exists("a.h5.journal"))

    def test_any_number_of_ranks_gives_the_same_bytes(self):
        digests = set()
        for ranks in (0, 1, 2, 3, 4, 7):
            self.answer(*PLAN, "--out", f"r{ranks}.h5", ranks=ranks)
            digests.add(digest(f"r{ranks}.h5"))
        self.assertEqual(len(digests), 1)

    def test_a_killed_rank_costs_no_finished_work(self):
        expected = self.whole()
        words = [*PLAN, "--out", "a.h5"]
        kills = 0
        while kills < STRIKES:
            process = start(words, ranks=4)
            time.sleep(self.random.uniform(0.05, max(0.3, 0.9 * self.seconds)))
            victims = ranks_of(process.pid)
            if victims and process.poll() is None:
                os.kill(self.random.choice(victims), signal.SIGKILL)
                kills += 1
            process.communicate(timeout=30)
            if os.path.exists("a.h5"):  # it was faster
                self.assertEqual(digest("a.h5"), expected)
                os.remove("a.h5")
            elif self.random.random() < 0.3:
                self.finish(words, ranks=4)
                self.assertEqual(digest("a.h5"), expected)
                os.remove("a.h5")
        self.finish(words, ranks=4)
        self.assertEqual(digest("a.h5"), expected)
        print(f"{kills} kills", file=sys.stderr)

    def test_a_signal_stops_it_in_time_and_nothing_is_lost(self):
        expected = self.whole()
        worst, stops = 0.0, 0
        for strike in range(STRIKES):
            ranks = (0, 4)[strike % 2]
            number = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)[strike % 3]
            words = [*PLAN, "--out", "a.h5"]
            process = start(words, ranks)
            while process.poll() is None and not ready(process, ranks):
                time.sleep(0.01)
            time.sleep(self.random.uniform(0.0, 0.8 * self.seconds))
            if process.poll() is None:
                begin = time.monotonic()
                process.send_signal(number)
                _, errors = process.communicate(timeout=30)
                worst = max(worst, time.monotonic() - begin)
                self.assertIn(process.returncode, (0, 6), errors[-2000:])
                if process.returncode == 6:
                    stops += 1
                    self.assertIn("resume with the same command", errors)
                    self.assertFalse(os.path.exists("a.h5"))
            else:
                process.communicate()
            if not os.path.exists("a.h5"):
                self.finish(words, ranks)
            self.assertEqual(digest("a.h5"), expected)
            os.remove("a.h5")
        self.assertGreater(stops, 0)
        self.assertLess(worst, GRACE)
        print(f"{stops} stops, slowest {worst:.2f} s", file=sys.stderr)

    def test_a_time_limit_stops_it_and_the_rest_follows(self):
        done = reckon(*PLAN, "--out", "a.h5", "--stop-after", "0.2s")
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("by the time limit", done.stderr)
        self.assertEqual(os.listdir("a.h5.journal"), ["journal.0.0.jsonl"])
        self.finish([*PLAN, "--out", "a.h5"], 0)
        self.assertEqual(digest("a.h5"), self.whole())

    def test_a_torn_line_is_cut_off_and_done_again(self):
        reckon(*PLAN, "--out", "a.h5", "--stop-after", "0.4s")
        journal = "a.h5.journal/journal.0.0.jsonl"
        with open(journal, "r+b") as f:
            text = f.read()
            f.truncate(len(text) - 7)
        done = reckon(*[w for w in PLAN if w != "--quiet"], "--out", "a.h5")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("damaged line", done.stderr)
        self.assertEqual(digest("a.h5"), self.whole())

    def test_another_question_does_not_take_up_the_journal(self):
        reckon(*PLAN, "--out", "a.h5", "--stop-after", "0.2s")
        other = [*PLAN, "--out", "a.h5", "--batch", "1024"]
        done = reckon(*other)
        self.assertEqual(done.returncode, 2)
        self.assertIn("another run", done.stderr)
        self.answer(*other, "--force")

    def test_the_tasks_of_an_array_meet_in_one_file(self):
        expected = self.whole()
        codes = [reckon(*PLAN, "--out", "a.h5", "--array-task", f"{task}/3").returncode for task in range(3)]
        self.assertEqual(codes, [0, 0, 0])
        self.assertFalse(os.path.exists("a.h5.journal"))
        self.assertEqual(digest("a.h5"), expected)
        for bad in ("3/3", "-1/2", "x", "1", "1/2/3"):
            self.assertEqual(reckon(*PLAN, "--out", "b.h5", "--array-task", bad).returncode, 2, bad)


if __name__ == "__main__":
    main()

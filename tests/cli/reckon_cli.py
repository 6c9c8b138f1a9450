"""Runs the built program as users do.  Every test script is called with the program's path first.  SPDX-License-Identifier: Apache-2.0"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

BINARY = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else ""
SOURCES = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
DATA = os.path.join(SOURCES, "models")

# A plan that takes a tenth of a second.
SMALL_PLAN = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "16,64", "--tokens", "100B"]


def environment(**changes):
    """The environment of a test: what would change the answer is taken out."""
    out = {k: v for k, v in os.environ.items() if not k.startswith(("RECKON_", "SLURM_", "PMI_", "SOURCE_DATE_EPOCH"))}
    out["RECKON_DATA_DIR"] = DATA
    for key, value in changes.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = value
    return out


def reckon(*words, ranks=0, timeout=120, env=None, **options):
    """The finished process; `ranks` > 0 starts it below mpiexec, once more where that died of a pipe of its own (MPICH's, when all ranks leave
    at once) and so says nothing of the ranks."""
    command = (["mpiexec", "-n", str(ranks)] if ranks else []) + [BINARY, *words]
    options.setdefault("stdout", subprocess.PIPE)
    options.setdefault("stderr", subprocess.PIPE)
    options |= {"text": True, "timeout": timeout, "env": environment() if env is None else env}
    done = subprocess.run(command, **options)
    return subprocess.run(command, **options) if ranks and done.returncode == -signal.SIGPIPE else done


class TemporaryFolderCase(unittest.TestCase):
    """Runs each test in an empty folder of its own."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="reckon-cli-")
        self.before = os.getcwd()
        os.chdir(self.folder)

    def tearDown(self):
        os.chdir(self.before)
        shutil.rmtree(self.folder)

    def answer(self, *words, code=0, **options):
        """stdout of a call that must end with `code`."""
        done = reckon(*words, **options)
        self.assertEqual(done.returncode, code, f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
        return done.stdout

    def document(self, *words, code=0, **options):
        """The same, parsed as JSON; NaN and infinities are no JSON."""

        def refuse(word):
            raise AssertionError(f"{word} in JSON")

        return json.loads(self.answer(*words, code=code, **options), parse_constant=refuse)


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)

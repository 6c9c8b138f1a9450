"""Bad inputs, as users type them, against the built program.

Each must end with its exit code (2 for wrong input) within the limits, say the file, place and reason or the flag, value and reason, suggest the near
name, print nothing on stdout and leave no file.  Harmless oddities (BOM, CRLF, locale, closed stdin, ...) must change nothing.

    bad_inputs.py PROGRAM SOURCE_FOLDER [--only REGEX] [--list] [--verbose] [--jobs N]

SPDX-License-Identifier: Apache-2.0
"""

import argparse
import collections
import multiprocessing
import os
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import catalogue_cases
import environment_cases
import flag_cases
import input_file_cases
import money_cases
import results_cases
from case import complaint_errors
from small_catalogue import make_small_catalogue

WALL_GOAL, WALL_LIMIT, CPU_LIMIT = 1.0, 3.0, 1.0  # seconds; the goal is reported, a loaded machine is allowed three times as much
ADDRESS_SPACE = 1 << 30
KILL_AFTER = 20


class Bench:
    """A worker's folders: an empty one for each case and a small catalogue that cases may spoil."""

    def __init__(self, program, source):
        self.program, self.source = program, source
        self.root = tempfile.mkdtemp(prefix="reckon-bad-inputs-")
        self.data, self.folder = os.path.join(self.root, "models"), os.path.join(self.root, "here")
        make_small_catalogue(source, self.data)
        self.good = {}

    def run(self, case, args):
        """(exit code, stdout, stderr, wall seconds, CPU seconds, MiB)"""
        words = [self.program] + [a.replace("{dir}", self.folder).replace("{data}", self.data) for a in args]
        if case.runner:
            words = ["/bin/sh", "-c", case.runner, "sh"] + words
        env = {"PATH": "/usr/bin:/bin", "HOME": self.root, "LC_ALL": "C.UTF-8", "RECKON_DATA_DIR": self.data}
        for key, value in case.env.items():
            env.pop(key, None)
            if value is not None:
                env[key] = value.replace("{dir}", self.folder).replace("{data}", self.data)

        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            start = time.monotonic()
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=env, cwd=self.folder, start_new_session=True
            )
            signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
            signal.alarm(KILL_AFTER)
            _, status, usage = os.wait4(process.pid, 0)
            signal.alarm(0)
            wall = time.monotonic() - start
            process.returncode = code = os.waitstatus_to_exitcode(status)
            out.seek(0)
            err.seek(0)
            return code, out.read(), err.read().decode("utf-8", "replace"), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024

    def spoil(self, relative, becomes):
        path = os.path.join(self.data, relative)
        kept = None
        if os.path.isfile(path):
            with open(path, "rb") as f:
                kept = f.read()
            os.remove(path)
        if callable(becomes):
            becomes(path)
        else:
            with open(path, "wb") as f:
                f.write(becomes)
        return path, kept

    @staticmethod
    def mend(path, kept):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif os.path.lexists(path):
            os.remove(path)
        if kept is not None:
            with open(path, "wb") as f:
                f.write(kept)

    def good_answer(self, case):
        key = tuple(case.same_as)
        if key not in self.good:
            plain = type(case)("good", list(key))
            self.good[key] = self.run(plain, plain.args)[1]
        return self.good[key]

    def tree(self):
        return sorted(os.path.join(d, n) for d, dirs, files in os.walk(self.root) for n in dirs + files)

    def try_case(self, case):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        if case.prepare:
            case.prepare(self.folder, self.data)
        wanted = self.good_answer(case) if case.same_as is not None else None
        spoilt = self.spoil(*case.edit) if case.edit else None
        before = self.tree()
        try:
            code, out, err, wall, cpu, rss = self.run(case, case.args)
            for _ in range(2):  # a program that is slow three times is slow; once, the machine was
                if wall <= WALL_LIMIT and cpu <= CPU_LIMIT:
                    break
                _, _, _, again_wall, again_cpu, _ = self.run(case, case.args)
                wall, cpu = min(wall, again_wall), min(cpu, again_cpu)
            left = [p for p in self.tree() if p not in before and not (case.leaves and case.leaves in p)]
        finally:
            if spoilt:
                self.mend(*spoilt)
        wrong = complaint_errors(case, code, out, err, self.folder, self.data)
        if wanted is not None and out != wanted:
            wrong.append("another answer on stdout than the plain run")
        if wanted is not None and not wanted:
            wrong.append("the plain run answers nothing")
        if left:
            wrong.append(f"left files: {left}")
        if wall > WALL_LIMIT or cpu > CPU_LIMIT:
            wrong.append(f"{wall:.2f} s wall, {cpu:.2f} s of processor")
        if rss > case.rss_mb:
            wrong.append(f"{rss:.0f} MiB of memory, at most {case.rss_mb}")
        return wrong, wall, cpu, rss, err.replace(self.root, "<root>"), code

    def close(self):
        for d, dirs, _ in os.walk(self.root):
            for name in dirs:
                if not os.path.islink(os.path.join(d, name)):
                    os.chmod(os.path.join(d, name), stat.S_IRWXU)
        shutil.rmtree(self.root, ignore_errors=True)


def work(share):
    """Runs a share of the cases in one process with one bench."""
    program, source, cases = share
    bench = Bench(program, source)
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))  # what the program inherits
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        return [(i, bench.try_case(ALL[i])) for i in cases]
    finally:
        bench.close()


ALL = []


def collect(source):
    cases = (
        flag_cases.cases()
        + catalogue_cases.cases(source)
        + input_file_cases.cases(source)
        + results_cases.cases(source)
        + money_cases.cases(source)
        + environment_cases.cases(source)
    )
    names = collections.Counter(c.name for c in cases)
    doubled = [n for n, k in names.items() if k > 1]
    if doubled:
        raise SystemExit(f"case names that are not unique: {doubled[:10]}")
    return cases


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("source")
    parser.add_argument("--only", default="")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 1))
    options = parser.parse_args()
    program, source = os.path.abspath(options.program), os.path.abspath(options.source)
    results_cases.PROGRAM = program

    ALL.extend(c for c in collect(source) if re.search(options.only, c.name))
    if options.list:
        print("\n".join(f"{c.name}: reckon {' '.join(c.args)}" for c in ALL))
        return 0
    to_run = [i for i, c in enumerate(ALL) if not c.skip]
    with multiprocessing.get_context("fork").Pool(options.jobs) as pool:
        shares = [(program, source, to_run[k :: options.jobs]) for k in range(options.jobs)]
        results = dict(r for share in pool.map(work, shares) for r in share)

    failures = 0
    for i, (wrong, wall, cpu, rss, err, code) in sorted(results.items()):
        if wrong:
            failures += 1
            print(f"FAILED {ALL[i].name}\n  reckon {' '.join(ALL[i].args)[:300]}")
            print("".join(f"  - {w}\n" for w in wrong) + "".join(f"  | {line[:300]}\n" for line in err.splitlines()[:6]), end="")
        elif options.verbose:
            print(f"ok {ALL[i].name} ({code}, {wall:.3f} s)\n" + "".join(f"  | {line}\n" for line in err.splitlines()), end="")
    for i, case in enumerate(ALL):
        if case.skip:
            print(f"skipped {case.name}: {case.skip}")
    for group, count in sorted(collections.Counter(ALL[i].group for i in results).items()):
        print(f"{count:6d} {group}")
    if results:
        slow = sorted(results, key=lambda i: -results[i][1])[:3]
        print("slowest: " + "; ".join(f"{results[i][1]:.2f} s {ALL[i].name}" for i in slow))
        big = max(results, key=lambda i: results[i][3])
        print(f"most memory: {results[big][3]:.0f} MiB {ALL[big].name}")
        late = sum(r[1] > WALL_GOAL for r in results.values())
        print(f"above {WALL_GOAL:.0f} s wall (loaded machine): {late}")
    print(f"{len(results)} cases, {failures} failed, {len(ALL) - len(results)} skipped")
    return 1 if failures or not results else 0


if __name__ == "__main__":
    sys.exit(main())

"""Runs the ranks program under mpiexec and alone, and checks status, output and that nothing hangs.

usage: run_ranks.py MPIEXEC RANKS_PROGRAM
SPDX-License-Identifier: Apache-2.0
"""
import os
import subprocess
import sys
import time

mpiexec, program = sys.argv[1:3]
alone = {k: v for k, v in os.environ.items() if not k.startswith(("PMI", "SLURM", "OMPI", "HYDRA"))}


def run(ranks, mode, extra=None, processors=None):
    command = ([mpiexec, "-n", str(ranks)] if ranks else []) + [program, mode]
    start = time.monotonic()
    done = subprocess.run(command, env={**alone, **(extra or {})}, capture_output=True, text=True, timeout=120,
                          preexec_fn=processors and (lambda: os.sched_setaffinity(0, processors)))
    return done.returncode, done.stdout + done.stderr, time.monotonic() - start


failures = 0


def expect(what, good, detail):
    global failures
    print("ok  " if good else "FAIL", what)
    if not good:
        failures += 1
        print(detail)


for ranks in (1, 2, 3, 4, 7):
    status, text, seconds = run(ranks, "collectives")
    expect(f"collectives on {ranks} ranks, {seconds:.2f} s", status == 0 and f"{ranks} ranks agree" in text, (status, text))
status, text, _ = run(0, "collectives")
expect("collectives without mpiexec", status == 0 and "1 ranks agree" in text, (status, text))
status, text, _ = run(4, "agree")
expect("all ranks end with the highest status", status == 3, (status, text))
status, text, _ = run(0, "collectives", {"SLURM_NTASKS": "2"})
expect("singletons below srun are refused", status == 2 and "--mpi=pmi2" in text, (status, text))
status, text, _ = run(0, "singleton", {"SLURM_NTASKS": "2"})
expect("unless they are meant", status == 0, (status, text))
status, text, seconds = run(3, "abort")
expect("abort ends all ranks with its code", status == 42 and seconds < 30, (status, text))
for _ in range(3):
    status, text, seconds = run(3, "uncaught")
    if text:  # else MPICH's launcher ended before it had passed on what the rank that aborts wrote
        break
expect("an uncaught exception ends all ranks with 70", status == 70 and "rank 1: reckon: internal error: nobody catches this" in text, (status, text))
status, text, seconds = run(3, "unwind")
expect("an exception that leaves a session does not hang the others", status != 0 and seconds < 30, (status, text))
allowed = sorted(os.sched_getaffinity(0))
for ranks in (2, 3):
    status, text, _ = run(ranks, "crowded", processors=set(allowed[:1]))
    expect(f"{ranks} ranks on one processor take turns", status == 0 and "ranks take turns" in text, (status, text))
if len(allowed) > 1:
    status, text, _ = run(2, "crowded", processors=set(allowed[:2]))
    expect("2 ranks on two processors do not", status == 0 and "a processor for each" in text, (status, text))
    status, text, _ = run(2, "bound", processors=set(allowed[:2]))
    expect("nor do 2 that are bound to one each", status == 0 and "a processor for each" in text, (status, text))
sys.exit(1 if failures else 0)

"""Odd surroundings: the same answer as ever, or a clear exit code.

SPDX-License-Identifier: Apache-2.0
"""

import os

from case import Case

PREDICT = ["predict", "--model", "llama-3-8b", "--device", "h100", "--tp", "2", "--dp", "32", "--gb", "512"]
PLAN = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8,16", "--tokens", "2B", "--budget", "$500000", "--quiet"]
COMMANDS = {"predict": PREDICT, "plan": PLAN, "catalog": ["catalog", "devices"], "help": ["help", "units"]}

SURROUNDINGS = {
    "a German locale": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"},
    "a locale that is not there": {"LC_ALL": "xx_YY.UTF-8"},
    "no locale": {"LC_ALL": None},
    "the C locale": {"LC_ALL": "C"},
    "a Turkish locale": {"LC_ALL": "tr_TR.UTF-8"},
    "an odd time zone": {"TZ": "Pacific/Chatham"},
    "a broken time zone": {"TZ": ":/dev/zero"},
    "no home": {"HOME": None},
    "a home that is not there": {"HOME": "/nonexistent"},
    "no PATH": {"PATH": None},
    "40 columns": {"COLUMNS": "40"},
    "no columns": {"COLUMNS": "0"},
    "columns that are no number": {"COLUMNS": "wide"},
    "a dumb terminal": {"TERM": "dumb"},
    "no colours": {"NO_COLOR": "1"},
    "a temporary folder that is not there": {"TMPDIR": "/nonexistent"},
    "many threads": {"OMP_NUM_THREADS": "1000000"},
    "no threads": {"OMP_NUM_THREADS": "0"},
    "a variable of 100,000 letters": {"LANG": "x" * 100_000},
}
SHELLS = {
    "a closed stdin": 'exec "$@" <&-',
    "stdin from /dev/zero": 'exec "$@" </dev/zero',
    "stdin from a folder": 'exec "$@" </tmp',
    "a folder to work in that is gone": 'mkdir gone && cd gone && rmdir ../gone && exec "$@"',
    "a small stack": 'ulimit -s 512; exec "$@"',
    "few files": 'ulimit -n 16; exec "$@"',
    "little processor time": 'ulimit -t 5; exec "$@"',
    "no core file": 'ulimit -c 0; exec "$@"',
    "nice": 'exec nice -n 19 "$@"',
    "a mask of all": 'umask 777; exec "$@"',
    "signals ignored": 'trap "" PIPE HUP INT; exec "$@"',
}


def read_only(here, data):
    del data
    os.chmod(here, 0o555)


def cases(source):
    del source
    out = []
    for command, args in COMMANDS.items():
        for label, env in SURROUNDINGS.items():
            out.append(Case(f"surroundings: {command} with {label}", args, exit=0, env=env, same_as=args))
        for label, shell in SHELLS.items():
            out.append(Case(f"surroundings: {command} with {label}", args, exit=0, runner=shell, same_as=args))
        out.append(Case(f"surroundings: {command} in a folder that may not be written", args, exit=0, prepare=read_only, same_as=args))
        out.append(
            Case(
                f"surroundings: {command} to a full disk",
                args,
                exit=5,
                runner='exec "$@" >/dev/full',
                says=("cannot write the answer to stdout", "No space left"),
            )
        )
        out.append(
            Case(
                f"surroundings: {command} to a closed stdout",
                args,
                exit=5,
                runner='exec "$@" >&-',
                says=("cannot write the answer to stdout",),
            )
        )
        out.append(Case(f"surroundings: {command} with a closed stderr", args, exit=0, runner='exec "$@" 2>&-', same_as=args))
        out.append(Case(f"surroundings: {command} with a full stderr", args, exit=0, runner='exec "$@" 2>/dev/full', same_as=args))
    out.append(
        Case(
            "surroundings: wrong input with a closed stderr",
            ["plan", "--zzz"],
            exit=2,
            runner='"$@" 2>&-; code=$?; echo "reckon: ended as it should" >&2; exit $code',
        )
    )
    out.append(
        Case(
            "surroundings: wrong input with stdout and stderr full",
            ["plan", "--zzz"],
            exit=2,
            runner='"$@" >/dev/full 2>/dev/full; code=$?; echo "reckon: ended as it should" >&2; exit $code',
        )
    )
    out.append(Case("surroundings: a reader that goes away", ["catalog"], exit=0, runner='"$@" | head -c 1 >/dev/null'))
    out.append(Case("surroundings: results into a full disk", PLAN + ["--out", "/dev/full", "--force"], exit=(2, 5), says=("/dev/full",)))
    out.append(
        Case(
            "surroundings: results beyond the largest file",
            PLAN + ["--out", "{dir}/x.h5"],
            exit=5,
            runner='ulimit -f 1; exec "$@"',
            says=("{dir}/x.h5",),
            leaves="x.h5.journal",
        )
    )
    return out

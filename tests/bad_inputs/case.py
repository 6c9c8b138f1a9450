"""One bad input: what is typed, what is prepared, and what the answer must say.

SPDX-License-Identifier: Apache-2.0
"""

import dataclasses
import re
from typing import Callable, Optional

TRACES = re.compile(
    r"internal error|terminate called|what\(\)|bug in reckon|std::|nlohmann|json\.exception|boost::|Segmentation|Assertion|#[01] 0x|HDF5-DIAG|"
    r"bad_alloc|out of memory"
)

FITS_OR_NOT = (0, 3)  # the input is understood; whether the plan fits in memory is another matter


@dataclasses.dataclass
class Case:
    """`args` and `says` may hold {dir}, the case's empty folder, and {data}, a small copy of the catalogue.

    says      texts that stderr must hold, all of them
    pattern   a regular expression that must be found in stderr besides
    prepare   called with the folder and the catalogue copy before the run
    edit      a file of the catalogue copy and what it becomes: bytes, or a function that makes something at its path
    same_as   arguments of a good run whose stdout this one must repeat, byte for byte (then exit 0 is expected)
    runner    a shell command in which "$@" is the program's command line
    env       variables to set, or to unset where the value is None
    rss_mb    the most memory
    leaves    what names of left files may hold: the journal of a search that stopped, which the same command goes on from
    """

    name: str
    args: list
    exit: object = 2
    says: tuple = ()
    pattern: str = ""
    prepare: Optional[Callable] = None
    edit: Optional[tuple] = None
    same_as: Optional[list] = None
    runner: str = ""
    env: dict = dataclasses.field(default_factory=dict)
    rss_mb: int = 200
    leaves: str = ""
    skip: str = ""

    @property
    def group(self):
        return self.name.split(":")[0]


def complaint_errors(case, code, out, err, folder, data):
    """What is wrong with an answer to a bad input, as sentences."""
    wrong = []
    if code not in (case.exit if isinstance(case.exit, tuple) else (case.exit,)):
        wrong.append(f"exit code {code}, expected {case.exit}")
    if case.exit in (0, FITS_OR_NOT):
        # the OpenMP runtime speaks for itself when the program is loaded
        own = [line for line in err.split("\n") if line.strip() and not line.startswith("libgomp: ")]
        if own and case.same_as is not None:
            wrong.append("something on stderr of a good run")
        return wrong
    if out:
        wrong.append(f"{len(out)} bytes on stdout")
    if TRACES.search(err):
        wrong.append(f"a trace of the inside: {TRACES.search(err).group()!r}")
    lines = err.rstrip("\n").split("\n")
    if not lines[0].startswith("reckon: ") or len(lines[0]) < 16:
        wrong.append("the first line gives no reason")
    if len(lines) > 4:
        wrong.append(f"{len(lines)} lines, at most reason, where and cure")
    if len(err) > 3000:
        wrong.append(f"{len(err)} bytes of complaint")
    if any(ord(c) < 32 and c != "\n" for c in err) or "\ufffd" in err:
        wrong.append("control characters or broken UTF-8 in the complaint")
    for text in case.says:
        text = text.replace("{dir}", folder).replace("{data}", data)
        if text not in err:
            wrong.append(f"does not say {text!r}")
    if case.pattern and not re.search(case.pattern, err):
        wrong.append(f"does not match {case.pattern!r}")
    return wrong

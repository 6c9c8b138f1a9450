"""Things that can be found where a file should be.

SPDX-License-Identifier: Apache-2.0
"""

import os

LARGE = 65 << 20  # above the limit of a text file


def folder(path):
    os.makedirs(path)


def fifo(path):
    os.mkfifo(path)


def zeros(path):
    os.symlink("/dev/zero", path)


def dangling(path):
    os.symlink("/nonexistent/nothing.json", path)


def loop(path):
    os.symlink(os.path.basename(path), path)


def unreadable(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("{}")
    os.chmod(path, 0)


def large(path):
    with open(path, "wb") as f:
        f.truncate(LARGE)


def huge(path):
    with open(path, "wb") as f:
        f.truncate(1 << 40)


def nothing(path):
    del path


NO_ROOT = "root may read any file" if os.geteuid() == 0 else ""

# (label, what makes it, what must be said, reason to skip)
THINGS = (
    ("a folder", folder, "this is a folder", ""),
    ("a FIFO", fifo, "this is a FIFO", ""),
    ("/dev/zero", zeros, "this is a device", ""),
    ("a dangling link", dangling, "No such file", ""),
    ("a link to itself", loop, "symbolic links", ""),
    ("unreadable", unreadable, "Permission denied", NO_ROOT),
    ("65 MiB of zeros", large, "larger than 64 MiB", ""),
    ("a tebibyte of zeros", huge, "larger than 64 MiB", ""),
)

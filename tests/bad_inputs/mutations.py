"""Every field of a JSON document made wrong in every way that its kind allows.

SPDX-License-Identifier: Apache-2.0
"""

import copy
import json
import re

QUANTITY = re.compile(r"^\$?\d+(\.\d+)?(e-?\d+)? ?(([kMGTP]?i?B|[kMGT]b|TFLOP)(/s)?|[num]?s|min|k?W|/h)$|^\$[\d.]+(/h)?$")


def raw(text):
    """A value that is written as it stands: NaN, 1e999."""
    return f"@@raw:{text}@@"


def render(document):
    text = json.dumps(document, indent=1)
    text = re.sub(r'"@@raw:(.*?)@@"', r"\1", text)
    return re.sub(r'"@@again:(.*?)@@"', r'"\1"', text).encode()


def step(key):
    return "/" + str(key).replace("~", "~0").replace("/", "~1")


ALIKE = ("sources", "src", "copy", "attention")  # objects whose members are all of one kind: the first stands for all


def places(value, pointer=""):
    """(pointer, path of keys, value) of everything in a document; of arrays, and of objects of equal things, the first item."""
    stack = [(pointer, (), value)]
    while stack:
        pointer, path, value = stack.pop()
        yield pointer, path, value
        if isinstance(value, dict):
            members = list(value.items())[: 1 if path and path[-1] in ALIKE else None]
            stack.extend((pointer + step(k), path + (k,), v) for k, v in members)
        elif isinstance(value, list):
            stack.extend((pointer + step(i), path + (i,), v) for i, v in enumerate(value[:1]))


def replaced(document, path, value):
    if not path:
        return value
    document = copy.deepcopy(document)
    owner = document
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    return document


def removed(document, path):
    document = copy.deepcopy(document)
    owner = document
    for key in path[:-1]:
        owner = owner[key]
    del owner[path[-1]]
    return document


def wrong_values(value):
    """(label, value, is a fault of syntax) by the kind of the value that is right."""
    if isinstance(value, bool):
        return [("text", "yes", False), ("number", 1, False), ("null", None, False)]
    if isinstance(value, (int, float)):
        out = [
            ("text", "twelve", False),
            ("null", None, False),
            ("list", [value], False),
            ("true", True, False),
            ("negative", -5, False),
            ("zero", 0, False),
            ("huge", raw("1e300"), False),
            ("NaN", raw("NaN"), True),
            ("overflow", raw("1e999"), True),
        ]
        return out + ([("fraction", 1.5, False)] if isinstance(value, int) else [])
    if isinstance(value, str) and QUANTITY.match(value):
        number, unit = re.match(r"(\$?[\d.]+) ?(.*)", value).groups()
        bad = [
            ("bare number", 5),
            ("no unit", "5"),
            ("wrong dimension", "5 kWh"),
            ("unknown unit", "5 florps"),
            ("negative", "-" + value),
            ("nan", f"nan {unit}"),
            ("infinite", f"inf {unit}"),
            ("hexadecimal", f"0x10 {unit}"),
            ("comma", f"1,5 {unit}"),
            ("thousands", f"1'000 {unit}"),
            ("empty", ""),
            ("null", None),
            ("list", [value]),
            ("zero", ("$0" if number[0] == "$" else "0 ") + unit),
            ("huge", ("$" if number[0] == "$" else "") + "1e300 " + unit),
            ("too large for a double", "1e999 " + unit),
        ]
        return [(label, v, False) for label, v in bad]
    if isinstance(value, str):
        return [
            ("number", 7, False),
            ("null", None, False),
            ("list", [value], False),
            ("empty", "", False),
            ("unknown", "no-such-word-anywhere", False),
        ]
    if isinstance(value, list):
        return [("object", {}, False), ("text", "x", False), ("null", None, False), ("number", 3, False)]
    return [("list", [], False), ("text", "x", False), ("null", None, False)]


def near_key(key):
    return key[:-1] + key[-2:-1] + key[-1] if len(key) > 3 else key + "x"


def mutations(document, start=(), closed=True):
    """(label with pointer, bytes, place) of every fault below `start`; place is a JSON pointer or 'line:column'.

    closed: whether unknown keys are errors
    """
    root = document
    for key in start:
        root = root[key]
    prefix = "".join(step(k) for k in start)
    for pointer, path, value in places(root, prefix):
        path = start + path
        for label, bad, syntax in wrong_values(value):
            yield f"{pointer} {label}", render(replaced(document, path, bad)), "line:column" if syntax else pointer
        if isinstance(value, dict) and value:
            key = next(iter(value))
            if closed:
                yield f"{pointer} unknown key", render(replaced(document, path, {**value, "no_such_key": 1})), pointer + "/no_such_key"
            yield f"{pointer} duplicate key", render(replaced(document, path, {**value, f"@@again:{key}@@": value[key]})), "line:column"
        if path and isinstance(path[-1], str):
            yield f"{pointer} missing", render(removed(document, path)), "missing:" + path[-1]


def place_pattern(file, place):
    """What stderr must hold: 'where: FILE at POINTER' or 'where: FILE:LINE:COLUMN'; of a missing key its owner's pointer and its name."""
    start = r"where: \S*" + re.escape(file)
    if place == "line:column":
        return start + r":\d+:\d+(\n|$)"
    if place.startswith("missing:"):
        return r"'?" + re.escape(place[8:]) + r"'?[^\0]*" + start
    return start + (" at " + re.escape(place) if place else "") + r"(\n|$)"


def spoilt_texts(good):
    """(label, bytes, whether it is accepted all the same, place) of faults that any text file can have."""
    yield "empty", b"", False, "line:column"
    yield "spaces only", b"  \n\t\n", False, ""
    for share in (0.02, 0.25, 0.5, 0.75, 0.99):
        yield f"cut at {share:.0%}", good.rstrip()[: max(1, int(len(good.rstrip()) * share))], False, "line:column"
    yield "without its last bracket", good.rstrip()[:-1], False, "line:column"
    yield "something after the end", good.rstrip() + b"\n}", False, "line:column"
    yield "twice", good + good, False, "line:column"
    middle = good.index(b'"', len(good) // 2) + 1
    for label, bad in (
        ("a lone continuation byte", b"\x80"),
        ("overlong UTF-8", b"\xc0\xaf"),
        ("a surrogate", b"\xed\xa0\x80"),
        ("UTF-8 beyond the end", b"\xf5\x80\x80\x80"),
        ("a zero byte", b"\0"),
        ("a control character", b"\x07"),
    ):
        yield label, good[:middle] + bad + good[middle:], False, "line:column"
    yield "UTF-16", b"\xff\xfe" + good.decode().encode("utf-16-le"), False, "line:column"
    yield "Latin-1", good[:middle] + b"\xe9t\xe9" + good[middle:], False, "line:column"
    yield "nested 100,000 deep", b"[" * 100_000 + b"]" * 100_000, False, "line:column"
    yield "nested 100,000 deep in objects", b'{"a":' * 100_000, False, "line:column"
    yield "nested deep and cut", b"[" * 100_000, False, "line:column"
    yield "a list", b"[]", False, ""
    yield "a number", b"42", False, ""
    yield "null", b"null", False, ""
    yield "an empty object", b"{}", False, ""
    yield "a comment", b"// a comment\n" + good, False, "line:column"
    yield "a comma too many", good.rstrip()[:-1] + b",}", False, "line:column"
    yield "YAML", b"format: x\nid: y\n", False, "line:column"
    yield "a picture", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), False, "line:column"
    yield "single quotes", good.replace(b'"', b"'"), False, "line:column"
    yield "BOM", b"\xef\xbb\xbf" + good, True, ""
    yield "CRLF", good.replace(b"\n", b"\r\n"), True, ""
    yield "no newline at the end", good.rstrip(), True, ""

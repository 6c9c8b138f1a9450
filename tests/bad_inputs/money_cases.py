"""Quotes, cost assumptions and results files for report that are broken or hostile.

SPDX-License-Identifier: Apache-2.0
"""

import copy
import json

import results_cases
from case import Case
from input_file_cases import written
from things import THINGS

MODEL = ["--model", "llama-2-7b", "--tokens", "2B", "--draws", "50"]
PLAN = ["plan", "--model", "llama-2-7b", "--device", "h100", "--devices", "8", "--tokens", "2B", "--quiet", "--draws", "50"]
QUOTE = {"id": "a", "provider": "A", "device": "h100", "devices": 8, "kind": "on-demand", "price": "2.50 USD/device-hour"}
HEAD = "id,provider,device,devices,kind,price"
LINE = "a,A,h100,8,on-demand,2.50 USD/device-hour"
COSTS = {"format": "reckon/cost-assumptions/1", "assumptions": [{"name": "pue_ratio", "value": "1.3", "low": "1.2", "high": "1.4"}]}


def changed(document, path, value):
    out = copy.deepcopy(document)
    at = out
    for step in path[:-1]:
        at = at[step]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return out


def quote_file(**changes):
    quote = {**QUOTE, **changes}
    return {"format": "reckon/quotes/1", "quotes": [{k: v for k, v in quote.items() if v != "-none-"}]}


JSON_QUOTES = [
    ("a negative price", quote_file(price="-2.50 USD/device-hour"), ("/quotes/0/price", "negative")),
    ("a price of nothing", quote_file(price="0 USD/device-hour"), ("/quotes/0/price", "nothing")),
    ("an absurd price", quote_file(price="250000 USD/device-hour"), ("/quotes/0/price",)),
    ("a bare price", quote_file(price=2.5), ("/quotes/0/price", "currency")),
    ("a price without unit", quote_file(price="2.50 USD"), ("/quotes/0/price", "device-hour")),
    ("a price that is not a number", quote_file(price="nan USD/device-hour"), ("/quotes/0/price",)),
    ("an infinite price", quote_file(price="inf USD/device-hour"), ("/quotes/0/price",)),
    ("a price with a comma", quote_file(price="2,50 USD/device-hour"), ("/quotes/0/price",)),
    ("an unknown currency", quote_file(price="2.50 XYZ/device-hour"), ("/quotes/0/price", "'XYZ'", "ISO 4217")),
    ("a currency in small letters", quote_file(price="2.50 usd/device-hour"), ("/quotes/0/price", "ISO 4217")),
    ("a currency without a rate", quote_file(price="2.50 EUR/device-hour"), ("/quotes/0", "EUR", "--rate EUR=")),
    ("a price a node", quote_file(price="20 USD/node-hour"), ("/quotes/0/price", "whole node")),
    ("a formula as provider", quote_file(provider="=cmd|' /C calc'!A0"), ("/quotes/0/provider", "formula")),
    ("a formula as note", quote_file(note="@SUM(A1:A9)"), ("/quotes/0/note", "formula")),
    ("a plus as region", quote_file(region="+1+1"), ("/quotes/0/region", "formula")),
    ("a terminal escape as provider", quote_file(provider="a\u001b[2J"), ("/quotes/0/provider", "control")),
    ("a provider of 300 bytes", quote_file(provider="x" * 300), ("/quotes/0/provider", "200 bytes")),
    ("no devices", quote_file(devices=0), ("/quotes/0/devices",)),
    ("half a device", quote_file(devices=0.5), ("/quotes/0/devices",)),
    ("too many devices", quote_file(devices=10**9), ("/quotes/0/devices",)),
    ("an unknown device", quote_file(device="h1000"), ("/quotes/0", "'h1000'")),
    ("an unknown kind", quote_file(kind="on-demnad"), ("/quotes/0/kind", "did you mean 'on-demand'?")),
    ("a reservation without a term", quote_file(kind="reserved"), ("/quotes/0/kind", "term_months")),
    ("a negative term", quote_file(kind="reserved", term_months=-12), ("/quotes/0/term_months",)),
    ("a purchase by the hour", quote_file(kind="purchase"), ("/quotes/0/price", "device")),
    ("a date that is none", quote_file(valid_until="31.12.2026"), ("/quotes/0/valid_until", "YYYY-MM-DD")),
    ("an availability of 120 %", quote_file(availability=1.2), ("/quotes/0/availability",)),
    ("an unknown member", quote_file(prise="2 USD/h"), ("/quotes/0/prise", "did you mean 'price'?")),
    ("no id", quote_file(id="-none-"), ("/quotes/0", "id")),
    ("no price", quote_file(price="-none-"), ("/quotes/0", "price")),
    ("an empty id", quote_file(id=""), ("/quotes/0/id", "empty")),
    ("a price that is null", quote_file(price=None), ("/quotes/0", "price")),
    ("a list for a price", quote_file(price=[1]), ("/quotes/0/price",)),
    ("two quotes of one id", {"format": "reckon/quotes/1", "quotes": [QUOTE, QUOTE]}, ("/quotes/1/id", "twice")),
    ("no quotes", {"format": "reckon/quotes/1", "quotes": []}, ("/quotes", "no quotes")),
    ("another format", {"format": "reckon/plan/1", "quotes": [QUOTE]}, ("/format",)),
    ("a rate of nothing", {**quote_file(), "rates": {"EUR": {"usd": 0, "date": "2026-11-01"}}}, ("/rates/EUR/usd",)),
    ("a rate without a date", {**quote_file(), "rates": {"EUR": {"usd": 1.08}}}, ("/rates/EUR", "date")),
    ("a rate of an unknown currency", {**quote_file(), "rates": {"EUX": {"usd": 1, "date": "2026"}}}, ("/rates/EUX", "ISO 4217")),
]

CSV_QUOTES = [
    ("an empty file", "", ("empty",)),
    ("a head alone", HEAD + "\n", ("no quotes",)),
    ("a missing column", HEAD.replace(",price", "") + "\na,A,h100,8,on-demand\n", (":1", "'price' is missing")),
    ("an unknown column", HEAD + ",prise\n" + LINE + ",1\n", (":1", "'prise'", "did you mean 'price'?")),
    ("a column twice", HEAD + ",price\n" + LINE + ",1\n", (":1", "stands twice")),
    ("a short row", HEAD + "\n" + LINE + "\nb,B,h100\n", (":3", "3 fields, but the head has 6")),
    ("a long row", HEAD + "\n" + LINE + ",1\n", (":2", "7 fields")),
    ("a negative price", HEAD + "\na,A,h100,8,on-demand,-1 USD/device-hour\n", (":2", "price", "negative")),
    ("a formula as id", HEAD + "\n=1+1,A,h100,8,on-demand,2 USD/h\n", (":2", "id", "formula")),
    ("a link as provider", HEAD + '\na,"=HYPERLINK(""http://x"")",h100,8,on-demand,2 USD/h\n', (":2", "provider", "formula")),
    ("an unclosed quotation mark", HEAD + '\n"a,A,h100,8,on-demand,2 USD/h\n', (":2", "never closed")),
    ("a stray quotation mark", HEAD + '\na"b,A,h100,8,on-demand,2 USD/h\n', (":2", "quotation mark")),
    ("text after a quotation mark", HEAD + '\n"a"b,A,h100,8,on-demand,2 USD/h\n', (":2", "after a closing")),
    ("a NUL byte", HEAD + "\na\0,A,h100,8,on-demand,2 USD/h\n", (":2", "control character")),
    ("an empty price", HEAD + "\na,A,h100,8,on-demand,\n", (":2", "price is empty")),
    ("many devices", HEAD + "\na,A,h100,1e99,on-demand,2 USD/h\n", (":2", "devices")),
    ("semicolons", HEAD.replace(",", ";") + "\n" + LINE.replace(",", ";") + "\n", (":1", "unknown column")),
    ("20,000 rows", HEAD + "\n" + (LINE + "\n") * 20000, ("10,000 rows",)),
    ("300 columns", ",".join(["id"] * 300) + "\n", (":1", "200 fields")),
    ("a field of 20,000 bytes", HEAD + "\n" + "x" * 20000 + ",A,h100,8,on-demand,2 USD/h\n", (":2", "10,000 bytes")),
    ("two ids", HEAD + "\n" + LINE + "\n" + LINE + "\n", (":3", "twice")),
]

ASSUME = [
    ("no sign", "pue_ratio", ("'pue_ratio'", "no '='")),
    ("an unknown name", "pue_ration=1.2", ("did you mean 'pue_ratio'?",)),
    ("no value", "pue_ratio=", ("--assume",)),
    ("a PUE below one", "pue_ratio=0.5", ("pue_ratio",)),
    ("a use above one", "use_share=1.5", ("use_share",)),
    ("a negative tariff", "electricity_price=-0.1 USD/kWh", ("electricity_price",)),
    ("another unit", "electricity_price=0.1 EUR/kWh", ("electricity_price", "USD/kWh")),
    ("a bare price", "storage_price=0.02", ("storage_price", "USD/GB-month")),
    ("not a number", "pue_ratio=nan", ("pue_ratio",)),
    ("an exponent too far", "price_on_demand=1e300 USD/device-hour", ("price_on_demand",)),
    ("a formula", "use_share==1+1", ("use_share",)),
    ("an empty item", "use_share=0.5,,pue_ratio=1.1", ("--assume",)),
]

COST_FILES = [
    ("an unknown name", changed(COSTS, ["assumptions", 0, "name"], "pue"), ("/assumptions/0/name", "did you mean")),
    ("a bare number", changed(COSTS, ["assumptions", 0, "value"], 1.3), ("/assumptions/0/value", "text")),
    ("a range beside the value", changed(COSTS, ["assumptions", 0, "value"], "1.5"), ("/assumptions/0", "range")),
    ("an unknown spread", changed(COSTS, ["assumptions", 0, "spread"], "gauss"), ("/assumptions/0/spread",)),
    ("a spread of events", changed(COSTS, ["assumptions", 0, "spread"], "poisson"), ("/assumptions/0/spread", "failure_luck")),
    ("a lognormal zero", {**COSTS, "assumptions": [{"name": "use_share", "value": "0.5", "low": "0.01", "high": "1", "spread": "lognormal"},
                                                   {"name": "slip_days", "value": "1 days", "low": "0 days", "spread": "lognormal"}]},
     ("/assumptions/1", "lognormal")),
    ("one name twice", {**COSTS, "assumptions": COSTS["assumptions"] * 2}, ("/assumptions/1/name", "twice")),
    ("an unknown member", changed(COSTS, ["assumptions", 0, "valeu"], "1"), ("/assumptions/0/valeu", "did you mean 'value'?")),
    ("no value", changed(COSTS, ["assumptions", 0, "value"], None), ("/assumptions/0", "value")),
    ("another format", changed(COSTS, ["format"], "reckon/prices/1"), ("/format",)),
    ("no assumptions", changed(COSTS, ["assumptions"], None), ("assumptions",)),
    ("assumptions that are no list", changed(COSTS, ["assumptions"], {"pue": 1}), ("/assumptions",)),
    ("an unknown source", changed(COSTS, ["assumptions", 0, "src"], "nobody"), ("/assumptions/0/src", "'nobody'")),
    ("a date that is none", changed(COSTS, ["assumptions", 0, "date"], "yesterday"), ("/assumptions/0/date",)),
]

CATALOGUE = [
    ("costs/defaults.json", "an assumption without a source", lambda d: d["assumptions"][0].pop("src") and d, ("/assumptions/0", "source")),
    ("costs/defaults.json", "an assumption that is gone", lambda d: d["assumptions"].pop(5) and d, ()),
    ("costs/places.json", "a place twice", lambda d: d["places"].append(d["places"][0]) or d, ("listed twice",)),
    ("costs/places.json", "negative carbon", lambda d: d["places"][0].update(grid_carbon="-5 g/kWh") or d, ("/places/0/grid_carbon",)),
    ("costs/places.json", "a year of the future", lambda d: d["places"][0].update(year=3000) or d, ("/places/0/year",)),
]


def cases(source):
    out = []
    for label, document, says in JSON_QUOTES:
        text = json.dumps(document).encode()
        out.append(Case(f"money: quotes with {label}", ["quote", "{dir}/q.json", *MODEL], prepare=written("q.json", text), says=("{dir}/q.json", *says)))
    for label, text, says in CSV_QUOTES:
        out.append(Case(f"money: CSV with {label}", ["quote", "{dir}/q.csv", *MODEL], prepare=written("q.csv", results_cases.packed(text.encode())), says=("{dir}/q.csv", *says)))
    latin = (HEAD + "\n" + LINE).encode().replace(b"a,A", b"a,\xe4")
    out.append(Case("money: CSV that is not UTF-8", ["quote", "{dir}/q.csv", *MODEL], prepare=written("q.csv", latin), says=("{dir}/q.csv", "UTF-8")))
    huge = lambda path: open(path, "wb").truncate(100 << 20)  # noqa: E731
    out.append(Case("money: CSV of 100 MiB", ["quote", "{dir}/q.csv", *MODEL], prepare=written("q.csv", huge), says=("{dir}/q.csv",)))
    out.append(Case("money: quotes of another suffix", ["quote", "{dir}/q.xls", *MODEL], prepare=written("q.xls", b"x"), says=("{dir}/q.xls", ".csv")))
    good = json.dumps(quote_file()).encode()
    for label, words, says in (
        ("no model", ["--tokens", "2B"], ("--model",)),
        ("no tokens", ["--model", "llama-2-7b"], ("--tokens",)),
        ("a rate without a date", [*MODEL, "--rate", "EUR=1.08"], ("--rate", "EUR=1.08@2026-11-01")),
        ("a negative rate", [*MODEL, "--rate", "EUR=-1@2026-11-01"], ("--rate",)),
        ("a rate of no currency", [*MODEL, "--rate", "euro=1.08@2026-11-01"], ("--rate", "ISO 4217")),
        ("a date that is none", [*MODEL, "--date", "today"], ("--date", "YYYY-MM-DD")),
        ("a confidence above one", [*MODEL, "--confidence", "2"], ("--confidence",)),
        ("an output of unknown suffix", [*MODEL, "--out", "{dir}/x.xls"], ("--out",)),
    ):
        out.append(Case(f"money: quote with {label}", ["quote", "{dir}/q.json", *words], prepare=written("q.json", good), says=says))
    for label, text, says in ASSUME:
        out.append(Case(f"money: assume {label}", [*PLAN, "--out", "{dir}/x.h5", "--assume", text], says=("--assume", *says)))
    for label, document, says in COST_FILES:
        out.append(Case(f"money: costs with {label}", [*PLAN, "--costs", "{dir}/c.json"], prepare=written("c.json", json.dumps(document).encode()),
                        says=("{dir}/c.json", *says)))
    out.append(Case("money: costs that are missing", [*PLAN, "--costs", "{dir}/c.json"], says=("{dir}/c.json",)))
    out.append(Case("money: an unknown grid", [*PLAN, "--grid", "FRANCE"], says=("--grid 'FRANCE'",)))
    out.append(Case("money: no draws", [*PLAN, "--draws", "0"], says=("--draws",)))
    out.append(Case("money: too many draws", [*PLAN, "--draws", "1e12"], says=("--draws",)))
    for file, label, edit, says in CATALOGUE:
        path = f"{source}/models/{file}"
        with open(path, encoding="utf-8") as f:
            document = edit(json.load(f))
        out.append(Case(f"money: {file} with {label}", PLAN, edit=(file, json.dumps(document).encode()), says=says))
    results = results_cases.good_results(source)
    for label, text in list(results_cases.spoilt(results))[:40]:
        out.append(Case(f"money: report of {label}", ["report", "{dir}/plan.h5", "--out", "{dir}/r.html,{dir}/r.csv"],
                        prepare=written("plan.h5", results_cases.packed(text)),
                        says=("{dir}/plan.h5",)))
    for label, make, says, skip in THINGS:
        out.append(Case(f"money: report of {label}", ["report", "{dir}/plan.h5"], prepare=written("plan.h5", make), says=("{dir}/plan.h5",), skip=skip))
    for label, text in (("an answer of explore", b'{"schema": "reckon/explore/1"}'), ("an answer of predict", b'{"schema": "reckon/prediction/1"}')):
        out.append(Case(f"money: report of {label}", ["report", "{dir}/a.json", "--out", "{dir}/r.html"], prepare=written("a.json", text),
                        says=("{dir}/a.json", "JSON", "--out FILE.h5")))
    for label, words, says in (
        ("an unknown format", ["--format", "docx"], ("--format 'docx'",)),
        ("an unknown suffix", ["--out", "{dir}/r.docx"], ("--out", ".xlsx")),
        ("a file twice", ["--out", "{dir}/r.html,{dir}/r.html"], ("twice",)),
        ("a folder that is missing", ["--out", "{dir}/none/r.html"], ("{dir}/none",)),
        ("an unknown assumption", ["--assume", "pues=1"], ("--assume",)),
        ("a currency without a date", ["--currency", "EUR=1.08", "--out", "{dir}/r.xlsx"], ("--currency", "EUR=1.08@2026-11-01")),
        ("a currency of no country", ["--currency", "EUX=1.08@2026-11-01"], ("--currency", "ISO 4217")),
        ("a rate of nothing", ["--currency", "EUR=0@2026-11-01", "--out", "{dir}/r.csv"], ("--currency",)),
        ("a rate that is not a number", ["--currency", "EUR=nan@2026-11-01"], ("--currency",)),
        ("the currency that it is in", ["--currency", "USD=1@2026-11-01"], ("--currency", "in USD")),
        ("amounts beyond what money holds", ["--currency", "VND=0.000000001@2026-11-01", "--out", "{dir}/r.xlsx"], ("--currency", "beyond")),
    ):
        out.append(Case(f"money: report with {label}", ["report", "{dir}/plan.h5", *words], prepare=written("plan.h5", results), says=says))
    return out

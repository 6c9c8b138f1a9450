#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The workbook of reckon report, recalculated by LibreOffice: xlsx_test.py PROGRAM

All cached values are taken out of the file first, so that every number is LibreOffice's own. Totals must equal ours to the cent, each
total the sum of its rows, and after changing an assumption the total that `reckon report --assume` gives. Exit code 77: no LibreOffice.
"""
import csv
import decimal
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

RECKON = os.path.abspath(sys.argv[1]) if len(sys.argv) > 1 else "reckon"
OFFICE = shutil.which("soffice") or shutil.which("libreoffice")
CHANGES = [("price_on_demand", "3.21", "price_on_demand=3.21 USD/device-hour"), ("use_share", "0.55", "use_share=0.55"),
           ("model_error", "1.0777", "model_error=1.0777")]


def reckon(*words):
    return subprocess.run([RECKON, *words], check=True, capture_output=True, text=True).stdout


def uncached(source, target, changes=()):
    """Copies a workbook without the cached values of formulas, with assumptions changed on their sheet."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        names = re.findall(r'<definedName name="([^"]+)">Assumptions!\$D\$(\d+)', old.read("xl/workbook.xml").decode())
        rows = dict(names)
        for item in old.infolist():
            data = old.read(item.filename)
            if item.filename.startswith("xl/worksheets/sheet"):
                text = re.sub(r"(<f>[^<]*</f>)<v>[^<]*</v>", r"\1", data.decode())
                if item.filename == "xl/worksheets/sheet2.xml":
                    for name, value in changes:
                        text, n = re.subn(rf'(<c r="D{rows[name]}"[^>]*><v>)[^<]*', rf"\g<1>{value}", text)
                        assert n == 1, name
                data = text.encode()
            new.writestr(item, data)


def recalculated(workbook, folder):
    """Rows of the sheets Costs and Sizes as LibreOffice computes them."""
    profile = "file://" + os.path.join(folder, "profile")
    subprocess.run([OFFICE, f"-env:UserInstallation={profile}", "--headless", "--convert-to",
                    "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1", "--outdir", folder, workbook],
                   check=True, capture_output=True, timeout=240)
    sheets = []
    for name in ("Costs", "Sizes"):
        with open(os.path.join(folder, f"{os.path.basename(workbook)[:-5]}-{name}.csv"), newline="", encoding="utf-8") as file:
            sheets.append(list(csv.reader(file))[1:])
    return sheets


def cents(text):
    return decimal.Decimal(text).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)


def ours(costs):
    code = costs["currency"].lower()
    titles = {s["id"]: s["title"] for s in costs["scenarios"]}
    rows = {(titles[r["scenario"]], r["item"]): decimal.Decimal(r["amount_" + code]) for r in costs["rows"]}
    return rows, {s["title"]: decimal.Decimal(s["total_" + code]) for s in costs["scenarios"]}


class Workbook(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp()
        cls.results = os.path.join(cls.folder, "r.h5")
        reckon("plan", "--model", "llama-3-8b", "--device", "h100", "--devices", "128,512", "--tokens", "1T", "--reserve", "0.03", "--draws",
               "500", "--quiet", "--out", cls.results)
        cls.workbook = os.path.join(cls.folder, "r.xlsx")
        reckon("report", cls.results, "--out", cls.workbook, "--quiet")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def compare(self, name, changes, *words, workbook=None):
        """Every amount and total of the workbook, changed, against those of `reckon report` with `words`."""
        target = os.path.join(self.folder, name + ".xlsx")
        uncached(workbook or self.workbook, target, changes)
        answer = json.loads(reckon("report", self.results, "--json", *words))
        rows, totals = ours(answer["costs"])
        costs, sizes = recalculated(target, self.folder)
        for row, size in zip(sizes, answer["sizes"], strict=True):
            self.assertEqual(int(row[0].replace(",", "")), size["devices"])
            micro = decimal.Decimal(size["plan"]["cost_micro_" + answer["currency"].lower()])
            self.assertEqual(cents(row[4]), cents(str(micro / 10**6)), (name, row[0]))
        sums, seen = {}, 0
        for way, _, item, _, _, _, amount, *_ in (r for r in costs if r and r[0]):
            if item == "total":
                self.assertEqual(cents(amount), totals[way], (name, way))
                self.assertEqual(sums[way], totals[way], (name, way))
                seen += 1
            else:
                self.assertEqual(cents(amount), rows[way, item], (name, way, item))
                sums[way] = sums.get(way, 0) + cents(amount)
        self.assertEqual(seen, len(totals))
        return totals

    def test_recalculated_equals_ours_and_follows_three_changes(self):
        before = self.compare("as_written", [])
        for name, value, assume in CHANGES:
            after = self.compare(name, [(name, value)], "--assume", assume)
            self.assertNotEqual(before, after)

    def test_another_currency_follows_prices_and_its_rate(self):
        workbook = os.path.join(self.folder, "eur.xlsx")
        reckon("report", self.results, "--currency", "EUR=1.08@2026-11-01", "--out", workbook, "--quiet")
        rate = ["--currency", "EUR=1.08@2026-11-01"]
        before = self.compare("eur_as_written", [], *rate, workbook=workbook)
        with zipfile.ZipFile(workbook) as file:
            styles = file.read("xl/styles.xml").decode()
        self.assertIn("[$EUR]", styles)
        self.assertNotIn("[$USD]", styles)
        target = os.path.join(self.folder, "eur_changed.xlsx")
        uncached(workbook, target, [("exchange_rate", "1.2"), ("price_on_demand", "3.21")])
        answer = reckon("report", self.results, "--json", "--currency", "EUR=1.2@2026-11-01", "--assume", "price_on_demand=3.21 USD/device-hour")
        _, totals = ours(json.loads(answer)["costs"])
        costs, _ = recalculated(target, self.folder)
        seen = {row[0]: cents(row[6]) for row in costs if len(row) > 6 and row[2] == "total"}
        self.assertEqual(seen, totals)
        self.assertNotEqual(seen, before)

    def test_same_results_same_bytes_and_nothing_foreign(self):
        again = os.path.join(self.folder, "again.xlsx")
        reckon("report", self.results, "--out", again, "--quiet")
        with open(self.workbook, "rb") as a, open(again, "rb") as b:
            self.assertEqual(a.read(), b.read())
        with zipfile.ZipFile(again) as file:
            names = file.namelist()
            self.assertFalse([n for n in names if "vba" in n.lower() or "external" in n.lower()])
            self.assertNotIn("<f></f>", "".join(file.read(n).decode() for n in names if "sheets/" in n and n.endswith(".xml")))


if __name__ == "__main__":
    if not OFFICE:
        print("skipped: LibreOffice is not installed (libreoffice-calc-nogui)")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1])

"""Dollars as users see them: all formats say the same to the cent, for any number of ranks.  SPDX-License-Identifier: Apache-2.0"""
import csv
import decimal
import html
import json
import os
import re
import time
import unittest

from reckon_cli import SMALL_PLAN, SOURCES, TemporaryFolderCase, environment, main, reckon

D = decimal.Decimal
FORMATS = "r.txt,r.md,r.html,r.csv,r.json"
QUOTES = os.path.join(SOURCES, "experiments", "12-rents", "quotes.csv")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def content(path):
    with open(path, "rb") as f:
        return f.read()


class Money(TemporaryFolderCase):
    def test_every_total_is_the_sum_of_its_rows_in_every_format(self):
        import h5py

        self.answer(*SMALL_PLAN, "--reserve", "0.07", "--out", "r.h5")
        self.answer("report", "r.h5", "--out", FORMATS, "--quiet")
        costs = json.loads(read("r.json"))["costs"]
        totals = {s["id"]: D(s["total_usd"]) for s in costs["scenarios"]}
        titles = {s["id"]: s["title"] for s in costs["scenarios"]}
        self.assertGreaterEqual(len(totals), 5)
        for scenario, total in totals.items():
            rows = [r for r in costs["rows"] if r["scenario"] == scenario]
            self.assertEqual(sum(D(r["amount_usd"]) for r in rows), total, scenario)
            for r in rows:
                exact = (D(r["quantity"]) * D(r["unit_price_usd"])).quantize(D("0.01"), decimal.ROUND_HALF_UP)
                self.assertEqual(exact, D(r["amount_usd"]), r)
                self.assertTrue(r["rests_on"])
        with h5py.File("r.h5") as f:
            ids = [s.decode() for s in f["costs/scenarios/id"]]
            for number, scenario in enumerate(ids):
                cents = sum(int(a) for a, s in zip(f["costs/rows/amount_cents"], f["costs/rows/scenario"]) if s.decode() == scenario)
                self.assertEqual(cents, f["costs/scenarios/total_cents"][number])
                self.assertEqual(D(cents) / 100, totals[scenario])
        with open("r.csv", newline="", encoding="utf-8") as f:
            lines = list(csv.DictReader(f))
        for scenario, total in totals.items():
            self.assertEqual(sum(D(line["EffectiveCost"]) for line in lines if line["x_Scenario"] == scenario), total)
            self.assertTrue(all(line["ChargeDescription"].startswith("PROJECTED ") and not line["InvoiceId"] for line in lines))
        for name in ("r.txt", "r.md", "r.html"):
            text = html.unescape(re.sub(r"<[^>]*>", " ", read(name))) if name.endswith("html") else read(name).replace("\\", "")
            for scenario, total in totals.items():
                self.assertIn(titles[scenario], text)
                self.assertGreaterEqual(text.count(f"{total:,.2f}"), 2, (name, scenario))
            for r in costs["rows"]:
                self.assertIn(f"{D(r['amount_usd']):,.2f}", text, (name, r))

    def test_another_currency_is_that_of_every_amount_in_every_format(self):
        self.answer(*SMALL_PLAN, "--reserve", "0.07", "--out", "r.h5")
        self.answer("report", "r.h5", "--out", "usd.json", "--quiet")
        self.answer("report", "r.h5", "--currency", "EUR=1.08@2026-11-01", "--out", "r.txt,r.md,r.html,r.csv,r.json,r.xlsx", "--quiet")
        answer, usd = json.loads(read("r.json")), json.loads(read("usd.json"))
        costs = answer["costs"]
        self.assertEqual((answer["currency"], costs["currency"]), ("EUR", "EUR"))
        self.assertNotIn("_usd", read("r.json"))
        rate = next(a for a in costs["assumptions"] if a["name"] == "exchange_rate")
        self.assertEqual((rate["value"], rate["unit"], rate["date"]), (1.08, "USD/EUR", "2026-11-01"))
        self.assertAlmostEqual(rate["cost_change_plus_tenth_eur"] / rate["cost_at_low_eur"], 1 / 1.1 - 1, places=9)
        totals = {s["id"]: D(s["total_eur"]) for s in costs["scenarios"]}
        for s in usd["costs"]["scenarios"]:
            self.assertAlmostEqual(float(totals[s["id"]]) / (float(s["total_usd"]) / 1.08), 1, places=5)
        for scenario, total in totals.items():
            rows = [r for r in costs["rows"] if r["scenario"] == scenario]
            self.assertEqual(sum(D(r["amount_eur"]) for r in rows), total, scenario)
            for r in rows:
                exact = (D(r["quantity"]) * D(r["unit_price_eur"])).quantize(D("0.01"), decimal.ROUND_HALF_UP)
                self.assertEqual(exact, D(r["amount_eur"]), r)
                self.assertIn(rate["id"], r["rests_on"])
        for a, b in zip(answer["sizes"], usd["sizes"]):
            self.assertAlmostEqual(a["plan"]["cost_eur"], b["plan"]["cost_usd"] / 1.08, places=5)
        with open("r.csv", newline="", encoding="utf-8") as f:
            lines = list(csv.DictReader(f))
        for scenario, total in totals.items():
            self.assertEqual(sum(D(line["EffectiveCost"]) for line in lines if line["x_Scenario"] == scenario), total)
        self.assertEqual({(line["BillingCurrency"], line["x_UsdRate"], line["x_UsdRateDate"]) for line in lines}, {("EUR", "1.08", "2026-11-01")})
        for name in ("r.txt", "r.md", "r.html"):
            text = html.unescape(re.sub(r"<[^>]*>", " ", read(name))) if name.endswith("html") else read(name).replace("\\", "")
            text = " ".join(text.split())
            for total in totals.values():
                self.assertGreaterEqual(text.count(f"{total:,.2f}"), 2, name)
            self.assertIn("1 EUR = 1.08 USD on 2026-11-01", text)
            before, register = text.split("Assumptions register", 1)  # the register keeps what its sources say
            self.assertNotIn("$", before, name)
            self.assertEqual(re.findall(r"\bUSD\b(?!/)", before.replace("1.08 USD on", "").replace("stated in USD", "")), [], name)
            self.assertIn("USD/device-hour", register)
        done = reckon("report", "r.h5", "--currency", "USD=1@2026-11-01")
        self.assertEqual(done.returncode, 2)

    def test_one_and_four_ranks_write_the_same_bytes(self):
        plan = [*SMALL_PLAN, "--draws", "3001", "--seed", "5"]
        self.answer(*plan, "--out", "one.h5", "--quiet")
        self.answer(*plan, "--out", "four.h5", "--quiet", ranks=4)
        self.assertEqual(content("one.h5"), content("four.h5"))
        for name in ("one", "four"):
            self.answer("report", f"{name}.h5", "--out", ",".join(f"{name}.{s}" for s in ("txt", "md", "html", "csv", "json", "xlsx")), "--quiet")
        for suffix in ("txt", "md", "html", "csv", "json", "xlsx"):
            self.assertEqual(content(f"one.{suffix}"), content(f"four.{suffix}"), suffix)

    def test_a_report_of_ten_thousand_draws_is_quick(self):
        self.answer(*SMALL_PLAN, "--draws", "10000", "--out", "r.h5", "--quiet")
        begun = time.monotonic()
        self.answer("report", "r.h5", "--draws", "10000", "--seed", "3", "--out", FORMATS + ",r.xlsx", "--quiet")
        self.assertLess(time.monotonic() - begun, 5)

    def test_assumptions_move_the_answer(self):
        def costs(*words):
            return json.loads(self.answer(*SMALL_PLAN, "--json", "--draws", "200", *words))["costs"]

        base = costs()
        total = {s["id"]: D(s["total_usd"]) for s in base["scenarios"]}
        half = costs("--assume", "use_share=0.35")
        self.assertGreater({s["id"]: D(s["total_usd"]) for s in half["scenarios"]}["buy"], total["buy"])
        with open("c.json", "w", encoding="utf-8") as f:
            json.dump({"format": "reckon/cost-assumptions/1", "assumptions": [
                {"name": "curation_price", "value": "1000 USD/1e9 tokens", "low": "500 USD/1e9 tokens", "high": "2000 USD/1e9 tokens",
                 "source": "our own quote", "date": "2026-11"}]}, f)
        own = costs("--costs", "c.json")
        row = next(r for r in own["rows"] if r["scenario"] == own["chosen"] and r["item"].startswith("data preparation"))
        self.assertEqual(D(row["amount_usd"]), 100 * 1000)
        a = next(a for a in own["assumptions"] if a["name"] == "curation_price")
        self.assertEqual((a["basis"], a["source"], a["date"]), ("given", "our own quote", "2026-11"))
        france, india = costs("--grid", "FRA"), costs("--grid", "IND")

        def carbon(c):
            return next(x["value"] for x in c["cells"] if x["name"] == "operational_t")

        self.assertAlmostEqual(carbon(india) / carbon(france), 713.4 / 56, places=6)

    def test_the_register_holds_every_number_of_a_total(self):
        costs = json.loads(self.answer(*SMALL_PLAN, "--json", "--draws", "50"))["costs"]
        labels = {a["id"] for a in costs["assumptions"]}
        self.assertEqual(labels, {f"A{i + 1}" for i in range(len(labels))})
        for a in costs["assumptions"]:
            self.assertTrue(a["unit"] and a["basis"] and a["source"], a)
        for r in costs["rows"]:
            self.assertTrue(set(r["rests_on"]) <= labels)

    def test_quotes_are_ranked_and_what_is_missing_is_said(self):
        words = ["quote", QUOTES, "--model", "llama-3-8b", "--tokens", "1T", "--rate", "EUR=1.08@2026-11-01", "--draws", "500", "--date", "2026-12-01"]
        d = json.loads(self.answer(*words, "--deadline", "60d", "--json"))
        by_id = {q["id"]: q for q in d["quotes"]}
        self.assertEqual(sorted(q["rank_by_cost"] for q in d["quotes"]), [1, 2, 3, 4, 5])
        self.assertEqual(by_id["neo-b"]["price_usd"], "2.268")
        self.assertEqual(by_id["own-d"]["chance_of_deadline"], 0)
        self.assertGreater(by_id["own-d"]["rank_by_value"], 4)
        self.assertEqual(by_id["own-d"]["break_even_against"], "neo-b")
        self.assertIsNone(by_id["spot-c"]["storage_price"])
        self.assertTrue(by_id["neo-b"]["expired"])
        self.assertFalse(by_id["cloud-a"]["expired"])
        text = self.answer(*words)
        self.assertIn("not quoted", text)
        self.answer(*words, "--out", "q.html")
        self.assertIn("<table>", read("q.html"))

    def test_text_of_users_is_no_markup(self):
        self.answer(*SMALL_PLAN, "--name", "<b>&\"x'", "--out", "r.h5", "--draws", "50")
        self.answer("report", "r.h5", "--out", "r.html,r.csv,r.md", "--quiet")
        self.assertIn("&lt;b&gt;&amp;&quot;x&#39;", read("r.html"))
        self.assertNotIn("<b>", read("r.html"))
        self.answer(*SMALL_PLAN, "--name", "=1+1", "--out", "f.h5", "--draws", "50")
        self.answer("report", "f.h5", "--out", "f.csv", "--quiet")
        with open("f.csv", newline="", encoding="utf-8") as f:
            self.assertTrue(all(line["BillingAccountName"].startswith("'=1+1") for line in csv.DictReader(f)))

    def test_a_pdf_without_a_converter_says_what_to_do(self):
        self.answer(*SMALL_PLAN, "--out", "r.h5", "--draws", "50")
        done = reckon("report", "r.h5", "--out", "r.pdf", env=environment(PATH="/nowhere"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("print it", done.stderr)
        self.assertFalse(os.path.exists("r.pdf"))


if __name__ == "__main__":
    main()

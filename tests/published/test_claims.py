"""Claims without a number: each rule on hand-made statistics, and the ledger on the embedded cohort."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pandas as pd
import pytest

from helpers.published import claims as module
from helpers.published.claims import COLUMNS, answer_claims, read_claims, store_answers
from helpers.published.ledger import LedgerError
from helpers.results.store import Statistics, StatisticsStore

STORED = Path(__file__).resolve().parents[2] / "results" / "rdmas_reconstructed" / "statistics"
HEAD = "id,section,claim,rule,statistic_id,limit,mark,reason\n"


def claim(rule, ids, limit=""):
    names = ["id", "section", "claim", "rule", "statistic_id", "limit", "mark", "reason"]
    return pd.DataFrame([["C1", "Text", "something", rule, ids, limit, "", "why"]], columns=names)


@pytest.fixture
def store(tmp_path):
    store = StatisticsStore(tmp_path, "test")
    for name, value, n in (("some", 3, 10), ("whole", 10, 10), ("zero", 0, 10), ("many", 8, 10)):
        store.add("a", name, "count", value=value, n=n, unit="patients")
    store.add("a", "nobody", "count", value=None, n=0, note="nobody of whom it can be told")
    store.add("a", "low", "median", value=-4.5, unit="g/L")
    for name, p in (("clear", 0.01), ("unclear", 0.4), ("other", 0.03), ("none", nan)):
        store.add("b", name, "test", value=1.0, p_value=p)
    return store


@pytest.mark.parametrize(
    ("rule", "ids", "limit", "answer", "found"),
    [
        ("all", "a.whole", "", "holds", "10 of 10"),
        ("all", "a.some|a.whole", "", "does not hold", "3 of 10"),
        ("most", "a.many", "", "holds", "8 of 10"),
        ("most", "a.some", "", "does not hold", "3 of 10"),
        ("few", "a.some", "", "holds", "3 of 10"),
        ("none", "a.zero", "", "holds", "0 of 10"),
        ("none", "a.some", "", "does not hold", "3 of 10"),
        ("most", "a.nobody", "", "cannot be answered", ""),
        ("above", "a.low", "-5", "holds", "−4.50 g/L"),
        ("at most", "a.low", "-5", "does not hold", "−4.50 g/L"),
        ("equal", "a.some|a.whole", "", "does not hold", "3 and 10"),
        ("differ", "a.some|a.whole", "", "holds", "3 to 10"),
        ("significant", "b.clear", "", "holds", "p = 0.010"),
        ("significant", "b.unclear", "", "does not hold", "p = 0.400"),
        ("significant", "b.none", "", "cannot be answered", ""),
        ("significant fall", "a.low|b.clear", "", "holds", "−4.50 g/L, p = 0.010"),
        ("significant rise", "a.low|b.clear", "", "does not hold", "−4.50 g/L, p = 0.010"),
        ("none significant but", "b", "clear|other", "holds", "0 of 1 other tests below 0.05"),
        ("none significant but", "b", "clear", "does not hold", "1 of 2 other tests below 0.05: other"),
        ("", "a.some", "", "cannot be answered", "3 of 10"),
        ("", "", "", "cannot be answered", ""),
        ("all", "a.absent", "", "cannot be answered", ""),
    ],
)
def test_every_rule(store, rule, ids, limit, answer, found):
    kind = {"a": "count", "b": "test"}
    full = [
        f"{name}.all.follow_up.{'median' if name == 'a.low' else kind[name[0]]}" if "." in name else name
        for name in ids.split("|") if name
    ]  # fmt: skip
    answers = answer_claims(store.rows(), claim(rule, "|".join(full), limit))
    assert (answers["answer"].item(), answers["found"].item()) == (answer, found)
    assert answers["reason"].item().startswith("why")


def test_the_embedded_cohort_answers_every_claim(tmp_path):
    answers = answer_claims(Statistics.read(STORED), read_claims("rdmas_2025"))
    assert list(answers.columns) == list(COLUMNS)
    assert len(answers) >= 25
    assert not answers["reason"].str.contains("this cohort has no statistic").any()
    assert set(answers.loc[answers["answer"] == "cannot be answered", "reason"]) - {""}
    assert (answers.loc[answers["answer"] == "cannot be answered", "reason"] != "").all()
    assert (answers.loc[answers["answer"] == "holds", "found"] != "").all()
    store = StatisticsStore(tmp_path, "test")
    store_answers(answers, store)
    assert sum(row.value for row in store.rows().values()) == len(answers)


@pytest.mark.parametrize(
    ("text", "said"),
    [("id,claim\nC1,x\n", "column rule is missing"), (HEAD + "C1,S,x,often,a.b,,,\n", "found 'often'"),
     (HEAD + "C1,S,x,,a.b,,,\n", "neither a rule nor a reason")],
)  # fmt: skip
def test_a_ledger_that_cannot_be_used_is_refused(tmp_path, monkeypatch, text, said):
    path = tmp_path / "claims.csv"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "default_ledger_path", lambda _: path)
    with pytest.raises(LedgerError, match=said):
        read_claims("any")


def test_a_cohort_without_a_publication_has_no_claims(tmp_path):
    assert read_claims(None) is None
    assert answer_claims(StatisticsStore(tmp_path, "test").rows(), None).empty

"""The printed constraints, checked on the raw csv files of a cohort folder with pandas, NumPy and SciPy
alone.

Nothing of the generator is used here, so that a fault in it cannot hide itself.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

PREDNISONE_5_MG = {"dexamethasone": 0.75, "methylprednisolone": 4.0, "prednisone": 5.0}
WINDOWS = {"week_1": (4, 10), "week_2": (11, 17), "week_3": (18, 24), "week_8": (49, 63)}


@dataclass(frozen=True)
class RawCohort:
    """The five raw tables of a folder."""

    folder: Path

    def table(self, name):
        return pd.read_csv(self.folder / f"{name}.csv", dtype=str, keep_default_na=False)

    @cached_property
    def patients(self):
        frame = self.table("patients")
        for column in ("age", "weight_kg", "last_contact_day", "death_day", "mas_onset_day"):
            frame[column] = pd.to_numeric(frame[column].replace("", None))
        return frame

    @cached_property
    def treated(self):
        return list(self.patients.loc[self.patients["group"] == "ruxolitinib", "patient_id"])

    @cached_property
    def controls(self):
        return list(self.patients.loc[self.patients["group"] == "control", "patient_id"])

    @cached_property
    def measurements(self):
        frame = self.table("measurements")
        frame["day"] = frame["day"].astype(int)
        frame["number"] = frame["value"].str.lstrip("<>").astype(float)
        return frame

    @cached_property
    def treatments(self):
        frame = self.table("treatments")
        for column in ("start_day", "stop_day", "dose", "times_per_day"):
            frame[column] = pd.to_numeric(frame[column].replace("", None))
        return frame

    @cached_property
    def responses(self):
        return self.table("responses").astype({"day": int})

    @cached_property
    def events(self):
        return self.table("events").astype({"day": int, "grade": int})

    def baseline(self, variable, patients=None):
        rows = self.measurements
        rows = rows[(rows["variable"] == variable) & rows["day"].between(-7, 0)]
        values = rows.drop_duplicates("patient_id", keep="last").set_index("patient_id")["number"]
        return values if patients is None else values[values.index.isin(patients)]

    def at_visit(self, variable, visit):
        low, high = WINDOWS[visit]
        rows = self.measurements
        rows = rows[(rows["variable"] == variable) & rows["day"].between(low, high)]
        return rows.set_index("patient_id")["number"]

    def calls(self, visit):
        low, high = WINDOWS[visit]
        rows = self.responses[self.responses["day"].between(low, high)]
        return rows.set_index("patient_id")["response"]

    @cached_property
    def daily_doses(self):
        """Prednisone-equivalent mg of every patient-day, from the rows one by one."""
        last = self.patients.set_index("patient_id")["death_day"].fillna(
            self.patients.set_index("patient_id")["last_contact_day"]
        )
        rows = self.treatments[self.treatments["drug"].isin(PREDNISONE_5_MG)]
        days = {}
        for row in rows.itertuples():
            stop = last[row.patient_id] if np.isnan(row.stop_day) else min(row.stop_day, last[row.patient_id])
            for day in range(int(row.start_day), int(stop) + 1):
                key = row.patient_id, day
                amount = row.dose * row.times_per_day * 5 / PREDNISONE_5_MG[row.drug]
                days[key] = days.get(key, 0.0) + amount
        return days

    def weekly_mean(self, patient, first, last):
        return sum(self.daily_doses.get((patient, d), 0.0) for d in range(first, last + 1)) / 7


def exact_rank_sum_p(x, y):
    """Exact two-sided p conditional on ties, by counting rank sums over all splits."""
    ranks = (2 * stats.rankdata(np.concatenate([x, y]))).astype(int)
    n, total = len(x), int(ranks.sum())
    ways = [{} for _ in range(n + 1)]
    ways[0][0] = 1
    for r in ranks:
        for size in range(n, 0, -1):
            for score, count in ways[size - 1].items():
                ways[size][score + r] = ways[size].get(score + r, 0) + count
    centre = n * total
    observed = abs(len(ranks) * int(ranks[:n].sum()) - centre)
    extreme = sum(c for s, c in ways[n].items() if abs(len(ranks) * s - centre) >= observed)
    return extreme / sum(ways[n].values())


def printed(value, decimals):
    """A value as printed, halves away from zero."""
    step = Decimal(1).scaleb(-decimals)
    return str(Decimal(repr(round(float(value), 9))).quantize(step, rounding=ROUND_HALF_UP))


def chi_square_p(table):
    """Yates when an expected count is below 5, else Pearson; 1 where a margin is empty."""
    table = np.array(table)
    if (table.sum(axis=0) == 0).any():
        return 1.0
    few = stats.contingency.expected_freq(table).min() < 5
    return stats.chi2_contingency(table, correction=bool(few)).pvalue

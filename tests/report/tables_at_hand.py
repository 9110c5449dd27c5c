"""A table with everything that a table can hold."""

from helpers.report.tables.cells import (
    count_percent,
    estimate_interval,
    median_spread,
    number,
    p_value,
    verbatim,
)
from helpers.report.tables.content import column, heading, message, row
from helpers.report.tables.table import Table
from helpers.results.store import StatisticsStore

AWKWARD = "50 % & <b> of #1_a{b}\\c ~ ^ “x” — ≥ 5 µg · café 汉"


def full_table(folder) -> Table:
    store = StatisticsStore(folder, "test")

    def add(variable, statistic, **columns):
        return store.add("baseline", variable, statistic, group="treated", timepoint="baseline", **columns)

    sex = add("sex", "count", value=17, n=20)
    for name, value, sign in (
        ("median", 37.25, ""),
        ("min", 18, ""),
        ("max", 71.5, ">"),
        ("q1", 24, ""),
        ("q3", 50, ""),
    ):
        add("age", name, value=value, qualifier=sign, n=19, n_missing=1)
    test = add("sex", "test", value=1.0, p_value=0.0004, method="exact")
    size = add("sex", "effect", value=-0.25, lower=-0.5, upper=float("nan"))
    rows = [
        heading("Clinical = characteristics"),
        row("Sex, female", count_percent(sex), p_value(test).marked("Fisher's exact test"), number(size, 2)),
        row("Age, years", median_spread(store.rows(), "baseline.age.treated.baseline", 1).marked(
            "Limit of the assay", "Missing in " + number(store.rows()["baseline.age.treated.baseline.median"],
                                                         column="n_missing") + " patient"),
            p_value(test).marked("Fisher's exact test"), estimate_interval(size, 1), level=1),
        row(verbatim(AWKWARD), "=1+1", "", "-"),
    ]  # fmt: skip
    columns = [
        column(""), column("{n_percent}", spanner="Group A & B"), column("{p_value}", spanner="Group A & B"),
        column("Size", left=True),
    ]  # fmt: skip
    return Table(
        "table_s4_full", "All at once: 100% & more", columns, rows, ["{Median_spread}."], "Not patients"
    )


def empty_table() -> Table:
    return Table("odd_name", "Empty", ["A", "B"], [message("Nothing is recorded.")])


def long_table(rows=90) -> Table:
    body = [row(f"Row {i}", str(i), "text that is fairly long " * 3) for i in range(rows)]
    return Table("table_9_long", "Long", ["Label", "n", "Text"], body, ["A note."], "Not patients")

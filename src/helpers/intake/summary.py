"""A delivery told in words: what was taken for what, what was left out, and what is new."""

from collections.abc import Iterator

from helpers.intake.deliver import Delivery
from helpers.intake.mapping import place_of


def told(delivery: Delivery) -> Iterator[str]:
    """Yield lines for people; cells of the files are in none of them."""
    mapping = delivery.mapping
    for file in mapping.files:
        yield f"{file.name}: {file.evidence or 'read'}"
    for table in mapping.tables:
        used = [column for column in table.columns if column.means not in ("unused", "personal", "link")]
        private = [column for column in table.columns if column.means in ("personal", "link", "birth_date")]
        unused = [column.header for column in table.columns if column.means == "unused"]
        share = f"{len(used)} of {len(table.columns)} columns"
        yield f"{place_of(table)}: {table.kind}, {share} ({table.evidence})"
        for column in private:
            yield f"  left out as personal data: {column.header} ({column.evidence})"
        if unused:
            shown = ", ".join(unused[:12]) + (f" and {len(unused) - 12} more" if len(unused) > 12 else "")
            yield f"  not used: {shown}"
    if mapping.new_ids:
        yield f"Patients get ids of the study ({mapping.new_ids_because}); key.csv has both, keep it safe."
    if mapping.units:
        yield "Units by the values: " + ", ".join(f"{name} {unit}" for name, unit in mapping.units.items())
    for line in delivery.news:
        yield f"New: {line}"
    if delivery.rows:
        yield "Tables: " + ", ".join(f"{name} {count}" for name, count in delivery.rows.items())

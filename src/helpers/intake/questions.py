"""What is asked rather than guessed: ids, groups, day 0, and whatever cannot be told from the files."""

import re
from collections.abc import Collection, Iterable

from helpers.intake.lexicon import Lexicon
from helpers.intake.mapping import IntakeMapping, Question
from helpers.intake.marks import needs_decimal, needs_order
from helpers.intake.roles import Look
from helpers.intake.values import plain_code
from helpers.vocabulary.names import fold
from helpers.vocabulary.vocabulary import Vocabulary

NONE = "none"
_CONTROL = re.compile(
    r"control|histor|standard|placebo|conventional|usual|soc\b|对照|历史|常规|安慰|kontroll", re.I
)
_DAY0 = re.compile(
    r"day ?0|first dose|start of|treatment start|trtsdt|randomi|index|inclu|enrol|admission|erste"
    r"|第0天|首次|开始|入组|用药|入院",
    re.IGNORECASE,
)
_FEW_LEVELS = 6


def ask(
    mapping: IntakeMapping,
    looks: list[Look],
    units: list[tuple[str, str, str]],
    lexicon: Lexicon,
    settled: Collection[str] = (),
) -> IntakeMapping:
    """Return a mapping with the groups as far as they are known and every question without an answer.

    Args:
        mapping: the proposal.
        looks: the tables as they were understood.
        units: variable, unit and reason where a unit is to be confirmed.
        lexicon: words of the vocabulary and of hospital files.
        settled: columns whose meaning stood in a mapping before and is not asked again.
    """
    answers = dict(mapping.answers)
    questions: list[Question] = []
    questions += _of_ids(looks)
    labels, of_groups = _groups(looks, answers, lexicon.vocabulary)
    questions += of_groups
    groups = {label: group_id(label, lexicon.vocabulary) for label in labels}
    if len(set(groups.values())) < len(groups):
        groups = {label: f"group_{n}" for n, label in enumerate(labels, start=1)}
    questions += _day0_words(groups, answers)
    questions += _day0_date(looks)
    questions += _follow_up(looks)
    questions += _codes(looks, lexicon.vocabulary)
    questions += _marks(mapping, looks)
    questions += _undated(mapping)
    questions += [one for one in _near(looks) if one.key.partition(".")[2] not in settled]
    confirmed = dict(mapping.units)
    if units:
        told = answers.get("units", "")
        if told:
            confirmed |= _confirmed(told, units)
        else:
            proposal = ", ".join(f"{name}={unit}" for name, unit, _ in units)
            why = "; ".join(f"{name}: {reason}" for name, _, reason in units)
            text = "The files give no unit of these. By their values they are so: is that right?"
            questions.append(
                Question(key="units", text=text, options=("yes",), proposed=proposal, evidence=why)
            )
    left = tuple(question for question in questions if question.key not in answers)
    return mapping.model_copy(update={"questions": left, "groups": groups, "units": confirmed})


def _confirmed(told: str, units: list[tuple[str, str, str]]) -> dict[str, str]:
    proposed = {name: unit for name, unit, _ in units}
    if "=" not in told:
        return proposed
    given = [part.partition("=") for part in re.split(r"[,;，；]", told)]
    return {**proposed, **{name.strip(): unit.strip() for name, sign, unit in given if sign}}


def _of_ids(looks: list[Look]) -> list[Question]:
    """Ask which column names the patients where no table has one."""
    if any(look.place("id") is not None for look in looks):
        return []
    sheets = {(look.block.grid.file, look.block.grid.sheet) for look in looks}
    if len(sheets) > 1 and all(sheet for _, sheet in sheets):
        return []
    names = [column.header for look in looks for column in look.columns]
    text = "Which column names the patients?"
    return [Question(key="use.patient_id", text=text, options=tuple(names[:20]))]


def group_id(label: str, vocabulary: Vocabulary) -> str:
    """Return a short name of a group: the drug it is called by, control, or what is left of the label.

    Example:
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> group_id("芦可替尼组", shipped_vocabulary()), group_id("Historical control", shipped_vocabulary())
        ('ruxolitinib', 'control')
    """
    drug = drug_in(label, vocabulary)
    if _CONTROL.search(label):
        return "control"
    if drug:
        return drug
    plain = re.sub(r"[^a-z0-9]+", "_", label.casefold()).strip("_")
    return plain if re.match(r"[a-z]", plain) else f"group_{plain}" if plain else "group"


def drug_in(label: str, vocabulary: Vocabulary) -> str:
    """Return the drug that a label names, or an empty text.

    >>> from helpers.vocabulary.reading import shipped_vocabulary
    >>> drug_in("Ruxolitinib arm", shipped_vocabulary()), drug_in("controls", shipped_vocabulary())
    ('ruxolitinib', '')
    """
    spelled = vocabulary.drug_spellings
    whole = fold(label)
    for text in (
        whole,
        whole.removesuffix("组"),
        whole.removesuffix("治疗组"),
        whole.removesuffix(" group"),
        *whole.split(),
    ):
        if text in spelled:
            return spelled[text]
    return ""


def _groups(
    looks: list[Look], answers: dict[str, str], vocabulary: Vocabulary
) -> tuple[list[str], list[Question]]:
    """Return the labels of the groups, the treated one first, and what must be asked about them."""
    if answers.get("use.group") == NONE:
        return ["all patients"], []
    cells = [
        meaning
        for look in looks
        if (place := look.place("patients.group")) is not None
        for meaning in _meant(look, place)
    ]
    labels = list(dict.fromkeys(cells))
    if not labels:
        options = [
            column.header
            for look in looks
            if look.kind == "records"
            for n, column in enumerate(look.columns)
            if column.means not in ("id", "personal", "link") and 2 <= len(look.contents[n].distinct) <= 3
        ]
        text = "Which column tells the groups apart? Answer none if there is one group."
        return [], [Question(key="use.group", text=text, options=(*dict.fromkeys(options), NONE))]
    if len(labels) == 1:
        return labels, []
    if len(labels) > 2:
        text = (
            f"The groups are {', '.join(labels[:8])}. Two can be compared: which ones (treated, reference)?"
        )
        chosen = [part.strip() for part in answers.get("groups", "").split(",") if part.strip() in labels]
        if len(chosen) != 2:
            return [], [Question(key="groups", text=text, options=tuple(labels))]
        return chosen, []
    proposed = next((label for label in labels if _CONTROL.search(label)), "")
    treated = next(
        (label for label in labels if label != proposed and (proposed or drug_in(label, vocabulary))),
        labels[0],
    )
    chosen_label = answers.get("group.treated", "")
    if chosen_label in labels:
        treated = chosen_label
    ordered = [treated, *(label for label in labels if label != treated)]
    if chosen_label in labels:
        return ordered, []
    why = (
        "the other is called a control"
        if proposed
        else "it is called by a drug"
        if drug_in(treated, vocabulary)
        else ""
    )
    text = "Which group is the treated one, for which effects are reported?"
    return ordered, [
        Question(key="group.treated", text=text, options=tuple(labels), proposed=treated, evidence=why)
    ]


def _meant(look: Look, place: int) -> Iterable[str]:
    values = look.columns[place].values
    return (values.get(cell, cell) for cell in look.contents[place].distinct)


def _day0_words(groups: dict[str, str], answers: dict[str, str]) -> list[Question]:
    """What day 0 is, is never guessed: it decides about immortal time."""
    del answers
    asked = []
    for label, group in groups.items():
        guess = (
            "diagnosis of refractory disease"
            if group == "control"
            else f"first dose of {group.replace('_', ' ')}"
        )
        text = f"What happened on day 0 in the group {label!r}?"
        asked.append(
            Question(
                key=f"day0.{group}", text=text, proposed=guess, evidence="a proposal, not told by the files"
            )
        )
    return asked


def _day0_date(looks: list[Look]) -> list[Question]:
    """Ask which date is day 0 where something is placed in time by dates."""
    if any(look.place("patients.day0_date") is not None for look in looks):
        return []
    placed = any(
        column.means
        in ("date", "start_date", "stop_date", "patients.last_contact_date", "patients.death_date")
        for look in looks
        for column in look.columns
    )
    options = [
        column.header
        for look in looks
        if look.kind == "records"
        for n, column in enumerate(look.columns)
        if (column.means == "unused" or column.means.endswith("_date"))
        and look.contents[n].cells
        and look.contents[n].serials >= 0.6
        and column.means not in ("patients.last_contact_date", "patients.death_date")
    ]
    if not placed:
        return []
    best = next((name for name in options if _DAY0.search(name)), "")
    text = "Which date is day 0, from which days are counted?"
    return [
        Question(
            key="use.day0_date",
            text=text,
            options=tuple(dict.fromkeys(options)),
            proposed=best,
            evidence=f"called {best!r}" if best else "",
        )
    ]


def _follow_up(looks: list[Look]) -> list[Question]:
    """Ask for what survival needs and no column was taken for: last contact, and death."""
    has = {column.means for look in looks for column in look.columns}
    has |= {column.also for look in looks for column in look.columns}
    if any(look.kind == "time_to_event" for look in looks):
        return []
    free = [
        (look, n)
        for look in looks
        if look.kind == "records"
        for n, c in enumerate(look.columns)
        if c.means == "unused"
    ]
    asked = []
    if not has & {"patients.death_day", "patients.death_date", "patients.died"}:
        few = [
            look.columns[n].header for look, n in free if 1 < len(look.contents[n].distinct) <= _FEW_LEVELS
        ]
        text = "Which column says who died? Answer none if nobody did."
        asked.append(Question(key="use.died", text=text, options=(*dict.fromkeys(few), NONE)))
    if not has & {"patients.last_contact_day", "patients.last_contact_date"}:
        names = [look.columns[n].header for look, n in free if look.contents[n].cells]
        text = "Which column tells the last day, or date, on which a patient was known to be alive?"
        asked.append(Question(key="use.last_contact_day", text=text, options=tuple(dict.fromkeys(names))))
    return asked


def _codes(looks: list[Look], vocabulary: Vocabulary) -> list[Question]:
    """Ask what codes mean where the vocabulary does not know them."""
    asked = []
    for look in looks:
        for n, column in enumerate(look.columns):
            for means in filter(None, (column.means, column.also)):
                name = means.partition(".")[2] if means.startswith("patients.") else means
                variable = vocabulary.get(name)
                if (
                    name == "group"
                    or variable is None
                    or variable.type not in ("yes_no", "category")
                    or name == "response"
                ):
                    continue
                known = {fold(text) for text in variable.levels} | {
                    fold(level) for level in variable.levels.values()
                }
                given = {*column.values, *column.values.values()}
                cells = dict.fromkeys(plain_code(cell) for cell in look.contents[n].distinct)
                odd = [cell for cell in cells if fold(cell) not in known and cell not in given]
                codes = [cell for cell in odd if re.fullmatch(r"-?\d+", cell)]
                if codes:
                    levels = list(dict.fromkeys(variable.levels.values()))
                    text = f"What do the codes {', '.join(sorted(codes))} of {column.header!r} ({name}) mean?"
                    example = ", ".join(f"{c}={lv}" for c, lv in zip(sorted(cells), levels, strict=False))
                    asked.append(
                        Question(
                            key=f"values.{column.header}",
                            text=text,
                            options=tuple(levels),
                            evidence=f"write it as {example}",
                        )
                    )
    return list({question.key: question for question in asked}.values())


def _marks(mapping: IntakeMapping, looks: list[Look]) -> list[Question]:
    asked = []
    for file in mapping.files:
        if number := needs_decimal(file, looks):
            text = f"Is {number!r} in {file.name} a thousand (point) or a little number (comma)?"
            asked.append(
                Question(key=f"decimal.{file.name}", text=text, options=("point", "comma"), proposed="point")
            )
        if needs_order(file, looks):
            text = (
                f"Dates in {file.name} end with the year: does the day (dmy) or the month (mdy) come first?"
            )
            asked.append(Question(key=f"date_order.{file.name}", text=text, options=("dmy", "mdy")))
    return asked


def _undated(mapping: IntakeMapping) -> list[Question]:
    """Ask about measurements of which no day is told."""
    names = [
        column.header
        for table in mapping.tables
        if table.kind == "records" and table.day_from == "baseline"
        for column in table.columns
        if column.means.startswith("measured.")
    ]
    if not names:
        return []
    shown = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
    text = f"Of these values no day is told: {shown}. Are they those of day 0?"
    return [Question(key="baseline", text=text, options=("yes", "no"), proposed="yes")]


def _near(looks: list[Look]) -> list[Question]:
    """Ask about columns whose names are spelled almost like known ones."""
    return [
        Question(
            key=f"column.{column.header}",
            text=f"Is the column {column.header!r} {column.means}?",
            options=(column.means, "unused"),
            proposed=column.means,
            evidence=column.evidence,
        )
        for look in looks
        for column in look.columns
        if column.score <= 0.7 and column.means != "unused" and column.evidence != "answered"
    ]

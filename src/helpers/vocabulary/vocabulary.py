"""All words of one cohort: what comes with the project and what the cohort's own files add."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from helpers.vocabulary import units
from helpers.vocabulary.model import (
    DRUG_CLASSES,
    IV_GLUCOCORTICOID,
    MEASUREMENT_COLUMNS,
    Drug,
    ReferenceRange,
    Term,
    Variable,
)
from helpers.vocabulary.names import fold, near
from helpers.vocabulary.response_levels import known_levels
from helpers.vocabulary.units import Floats

# Parts of the names of glucocorticoids in English and Chinese. Such a drug adds to the prednisone equivalent,
# so that a name nobody knows may not be passed over.
_GLUCOCORTICOID = re.compile(
    r"pred(?!ict)|cort(?!ico?relin)|metha?[sz]on|meta[sz]on|dexa|sonide|betasol|solon|nolone|\w{3,}[^p]sone\b|steroid"
    r"|medrol|decadron|激素|松龙|米松|泼尼|强的松|可的松|甲强|地塞|倍他|曲安|皮质"
)


@dataclass(frozen=True)
class Vocabulary:
    """Variables, drugs, event terms and limits of normal, each by its canonical name.

    Example:
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> shipped_vocabulary().drug_named("甲氨蝶呤")
        'methotrexate'
        >>> from helpers.vocabulary.reading import shipped_vocabulary
        >>> words = shipped_vocabulary()
        >>> words.get("age").type, words.get("shoe size"), "age" in words.columns("patients")
        ('number', None, True)
        >>> words.of_table("events")[0].name, words.resolve("Hb", ["hemoglobin"])
        ('patient_id', 'hemoglobin')
        >>> words.spellings(["age"])["age"], len(words.translations()) > 100
        ('age', True)
        >>> (
        ...     words.drug_class("etoposide"),
        ...     words.drug_label("etoposide"),
        ...     "jak_inhibitor" in words.drug_groups(),
        ... )
        ('chemotherapy', 'Etoposide', True)
        >>> (
        ...     words.drugs_of("jak_inhibitor")[0],
        ...     words.drug_suggestion("tocilizumb"),
        ...     words.needs_decision("paramethasone"),
        ... )
        ('ruxolitinib', 'tocilizumab', True)
        >>> words.term_named("CMV infection")
        'cytomegalovirus infection'
        >>> given = pd.DataFrame({"drug": ["ruxolitinib", "methylprednisolone"], "route": ["po", "iv"]})
        >>> words.of_drug(given, "iv_glucocorticoid").tolist()
        [False, True]
        >>> words.convert(pd.Series(["hemoglobin"]), pd.Series([11.5]), pd.Series(["g/dL"]))[0].tolist()
        [115.0]
    """

    variables: Mapping[str, Variable]
    drugs: Mapping[str, Drug] = field(default_factory=dict)
    terms: Mapping[str, Term] = field(default_factory=dict)
    ranges: Mapping[str, tuple[ReferenceRange, ...]] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Variable:
        return self.variables[name]

    def __contains__(self, name: object) -> bool:
        return name in self.variables

    def get(self, name: object) -> Variable | None:
        """Return a variable by name, or None."""
        return self.variables.get(name) if isinstance(name, str) else None

    # --- variables ----------------------------------------------------------------------------------

    def of_table(self, table: str) -> list[Variable]:
        """Return the variables (columns and long-form variables) of one raw table, in order."""
        return [v for v in self.variables.values() if table in v.tables]

    @cached_property
    def measured(self) -> tuple[str, ...]:
        """Names of the variables that may stand in the measurements' `variable` column."""
        rows = self.of_table("measurements")
        return tuple(v.name for v in rows if v.name not in MEASUREMENT_COLUMNS)

    def columns(self, table: str) -> tuple[str, ...]:
        """Names of the columns a raw table may have."""
        if table == "measurements":
            return MEASUREMENT_COLUMNS
        return tuple(v.name for v in self.of_table(table))

    def spellings(self, names: Iterable[str]) -> dict[str, str]:
        """Return folded spelling -> name over the names, aliases, CDISC names and labels of variables."""
        found: dict[str, str] = {}
        names = tuple(names)
        for name in names:
            for alias in (*self.variables[name].aliases, *self.variables[name].cdisc):
                found.setdefault(fold(alias), name)
        for name in names:
            for label in (self.variables[name].label, self.variables[name].label_zh):
                for text in (label, re.split(r"，|, ", label)[0]):
                    if text:
                        found.setdefault(fold(text), name)
        # A variable's own name always wins over another's alias.
        found.update({fold(name): name for name in names})
        return found

    def resolve(self, raw: str, names: Iterable[str]) -> str | None:
        """Return which of the variables `names` is spelled `raw` (name or alias, case ignored), or None."""
        return self.spellings(names).get(fold(raw))

    def convert(
        self, variable: pd.Series, value: pd.Series, unit: pd.Series
    ) -> tuple[Floats, NDArray[np.object_]]:
        """Convert a long column of values to the units kept; see `helpers.vocabulary.units.convert_units`."""
        return units.convert_units(variable, value, unit, {n: v.units for n, v in self.variables.items()})

    def convert_coded(
        self, variable: pd.Series, value: pd.Series, unit: pd.Series
    ) -> tuple[Floats, pd.Categorical]:
        """Convert a long column, each spelling of a unit kept once; see `helpers.vocabulary.units`."""
        return units.convert_coded(variable, value, unit, {n: v.units for n, v in self.variables.items()})

    # --- drugs --------------------------------------------------------------------------------------

    @cached_property
    def drug_spellings(self) -> dict[str, str]:
        """Folded spelling in either language -> name of every known drug."""
        found: dict[str, str] = {}
        for drug in self.drugs.values():
            for text in (*drug.aliases, drug.label, drug.label_zh):
                if text:
                    found.setdefault(fold(text), drug.name)
        # A drug's own name always wins over another's alias.
        return found | {fold(name): name for name in self.drugs}

    def drug_named(self, written: str) -> str:
        """Return the canonical name of a drug; an unknown one keeps its name, case and blanks evened out."""
        return self.drug_spellings.get(fold(written)) or " ".join(written.split()).casefold()

    def drug_class(self, name: str) -> str:
        """Return the class of a drug by canonical name; empty for an unknown one."""
        known = self.drugs.get(name)
        return known.drug_class if known else ""

    def drug_label(self, name: str) -> str:
        """Return what readers see of a drug, given by canonical name; an unknown one as it is kept."""
        known = self.drugs.get(name)
        if known is None:
            text = name.replace("_", " ")
            return text[:1].upper() + text[1:]
        return known.label

    def drug_groups(self) -> tuple[str, ...]:
        """Names that stand for several drugs in settings: the classes, and intravenous glucocorticoids."""
        return (*DRUG_CLASSES, IV_GLUCOCORTICOID)

    def drugs_of(self, name: str) -> tuple[str, ...]:
        """Return the canonical names of a class of drugs, or of one drug."""
        if name not in DRUG_CLASSES:
            return (self.drug_named(name),)
        return tuple(drug.name for drug in self.drugs.values() if drug.drug_class == name)

    def of_drug(self, treatments: pd.DataFrame, name: str) -> pd.Series:
        """Return the mask of treatment rows of a drug, of a class of drugs, or of iv_glucocorticoid.

        Args:
            treatments: columns drug (canonical names) and route.
            name: canonical name of a drug or one of `drug_groups`.
        """
        wanted = name.removeprefix("iv_") if name == IV_GLUCOCORTICOID else name
        mask = treatments["drug"].isin(self.drugs_of(wanted))
        return mask & (treatments["route"] == "iv") if wanted != name else mask

    def needs_decision(self, written: str) -> bool:
        """Return whether an unknown drug looks like a glucocorticoid, which may not be passed over."""
        return fold(written) not in self.drug_spellings and looks_like_glucocorticoid(written)

    def drug_suggestion(self, written: str) -> str | None:
        """Return the known drug of which an unknown name is most likely a slip, or None.

        It is never a drug of another role: a name that looks like a glucocorticoid is only taken for one.
        """
        spelling = near(written, self.drug_spellings)
        if spelling is None:
            return None
        name = self.drug_spellings[spelling]
        steroid = "corticoid" in self.drug_class(name)
        return name if steroid == looks_like_glucocorticoid(written) else None

    # --- event terms --------------------------------------------------------------------------------

    @cached_property
    def term_spellings(self) -> dict[str, str]:
        """Folded spelling in either language -> label of every known event term."""
        found: dict[str, str] = {}
        for term in self.terms.values():
            for text in (*term.aliases, term.label_zh):
                if text:
                    found.setdefault(fold(text), term.label)
        return found | {fold(term.label): term.label for term in self.terms.values()}

    def term_named(self, written: str) -> str:
        """Return the label of an event term; an unknown one stays as it is written."""
        return self.term_spellings.get(fold(written), written)

    # --- labels -------------------------------------------------------------------------------------

    def translations(self) -> dict[str, str]:
        """Return English label -> Chinese label of every variable, drug and event term that has one."""
        words = [
            (w.label, w.label_zh) for kind in (self.terms, self.drugs, self.variables) for w in kind.values()
        ]
        levels = [(level.label, level.label_zh) for level in known_levels().values()]
        return {label: label_zh for label, label_zh in (*words, *DRUG_CLASSES.values(), *levels) if label_zh}


def looks_like_glucocorticoid(name: str) -> bool:
    """Return whether a name looks like that of a glucocorticoid, in English or Chinese.

    Example:
        >>> looks_like_glucocorticoid("paramethasone"), looks_like_glucocorticoid("dapsone")
        (True, False)
    """
    return bool(_GLUCOCORTICOID.search(name.casefold()))

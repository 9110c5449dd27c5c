"""Reading of criteria files (TOML): every fault at once with file, key, found and expected."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from helpers.clinical.errors import ClinicalError
from helpers.clinical.rules import OPERATORS, RELATIVE_UNITS, AnyKnown, AtLeast, Compare, Not, Rule, When
from helpers.clinical.units import FACTORS, accepted_units, normal_unit

Directory = Path | str
_COMBINATIONS = ("any_of", "any_known", "all_of", "at_least", "not", "when")
_EXPECTED_RULE = 'variable with op, value and unit; variable with falls_percent or rises_percent; variable with is = "yes" or "no"; any_of; any_known; all_of; at_least with of; not; or when with then and otherwise'  # noqa: E501


@dataclass(frozen=True)
class Setting:
    """An open choice of a criteria file: the value in force, its default, the choices and its standing."""

    value: Any
    default: Any
    choices: tuple[Any, ...] = ()
    standing: str = "unverified"
    note: str = ""


@dataclass
class CriteriaReader:
    """One criteria file being read; collects problems and resolves settings ("$name") and lists ("@name")."""

    file: str
    data: Mapping[str, Any]
    given: Mapping[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    settings: dict[str, Setting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._read_settings()

    def problem(self, key: str, found: Any, expected: str) -> None:
        """Record that `key` holds `found` where `expected` is wanted."""
        shown = "nothing" if found is None else repr(found)
        self.problems.append(f"criteria file {self.file}, key {key}: found {shown}, expected {expected}")

    def finish(self) -> None:
        """Raise `ClinicalError` with every problem recorded."""
        if self.problems:
            raise ClinicalError(self.problems)

    def _read_settings(self) -> None:
        table = self.data.get("settings", {})
        if not isinstance(table, dict):
            self.problem("settings", table, "a table of settings")
            return
        for name, entry in table.items():
            if not isinstance(entry, dict) or "default" not in entry:
                self.problem(f"settings.{name}", entry, "a table with default, and choices, standing or note")
                continue
            choices = tuple(entry.get("choices", ()))
            value = self.given.get(name, entry["default"])
            if choices and value not in choices:
                self.problem(f"settings.{name}", value, f"one of {', '.join(map(str, choices))}")
            elif isinstance(value, str) != isinstance(entry["default"], str):
                self.problem(f"settings.{name}", value, f"a value like {entry['default']!r}")
            standing, note = str(entry.get("standing", "unverified")), str(entry.get("note", ""))
            self.settings[name] = Setting(value, entry["default"], choices, standing, note)
        for name in self.given:
            if name not in table:
                known = ", ".join(table) or "none"
                self.problem(
                    f"settings.{name}", self.given[name], f"one of the settings of this file ({known})"
                )

    def resolve(self, value: Any, key: str) -> Any:
        """Replace "$name" by the setting of that name."""
        if isinstance(value, str) and value.startswith("$"):
            if value[1:] not in self.settings:
                self.problem(
                    key, value, f"the name of a setting ({', '.join(self.settings) or 'none declared'})"
                )
                return None
            return self.settings[value[1:]].value
        return value

    def text(self, table: Mapping[str, Any], name: str, key: str, default: str | None = None) -> str:
        """Read a text; required unless a default is given."""
        value = table.get(name, default)
        if not isinstance(value, str) or (default is None and not value.strip()):
            self.problem(f"{key}{name}", value, "a text")
            return ""
        return value

    def choice(
        self, table: Mapping[str, Any], name: str, key: str, choices: Sequence[str], default: str
    ) -> str:
        """Read one of several words."""
        value = self.resolve(table.get(name, default), f"{key}{name}")
        if value not in choices:
            self.problem(f"{key}{name}", value, f"one of {', '.join(choices)}")
            return default
        return str(value)

    def number(self, table: Mapping[str, Any], name: str, key: str) -> float:
        """Read a number, or the setting it refers to."""
        value = self.resolve(table.get(name), f"{key}{name}")
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            self.problem(f"{key}{name}", value, "a number")
            return float("nan")
        return float(value)

    def whole(self, table: Mapping[str, Any], name: str, key: str, largest: int) -> int:
        """Read a whole number from 0 to `largest`."""
        value = self.resolve(table.get(name), f"{key}{name}")
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= largest:
            self.problem(f"{key}{name}", value, f"a whole number from 0 to {largest}")
            return 0
        return value

    def tables(self, name: str) -> list[Mapping[str, Any]]:
        """Read a list of tables ([[name]]), at least one."""
        value = self.data.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(entry, dict) for entry in value):
            self.problem(name, value, f"one or more tables [[{name}]]")
            return []
        return value

    def known_keys(self, table: Mapping[str, Any], allowed: Iterable[str], key: str) -> None:
        """Record every key that is not among `allowed`: a misspelt key must not be passed over."""
        names = list(allowed)
        for name in table:
            if name not in names:
                self.problem(f"{key}{name}", name, f"one of {', '.join(names)}")

    def rule(self, entry: Any, key: str) -> Rule:
        """Read a rule from its table."""
        nothing = Compare("unreadable", "=", 1.0, "1")
        if not isinstance(entry, dict):
            self.problem(key, entry, _EXPECTED_RULE)
            return nothing
        if "variable" in entry:
            return self._comparison(entry, f"{key}.")
        kinds = [name for name in _COMBINATIONS if name in entry]
        if len(kinds) != 1:
            self.problem(key, ", ".join(entry) or None, _EXPECTED_RULE)
            return nothing
        return self._combination(kinds[0], entry, key)

    def _combination(self, kind: str, entry: Mapping[str, Any], key: str) -> Rule:
        if kind == "not":
            self.known_keys(entry, ["not"], f"{key}.")
            return Not(self.rule(entry["not"], f"{key}.not"))
        if kind == "when":
            self.known_keys(entry, ["when", "then", "otherwise", "assume"], f"{key}.")
            parts = [self.rule(entry.get(part), f"{key}.{part}") for part in ("when", "then", "otherwise")]
            assume = self.choice(entry, "assume", f"{key}.", ("", "then", "otherwise"), "")
            return When(parts[0], parts[1], parts[2], assume)
        source = "of" if kind == "at_least" else kind
        self.known_keys(entry, {kind: 0, source: 0}, f"{key}.")
        rules = self._rules(entry.get(source), f"{key}.{source}")
        if kind == "at_least":
            return AtLeast(self.whole(entry, kind, f"{key}.", len(rules)), rules)
        if kind == "any_known":
            return AnyKnown(rules)
        return AtLeast(1 if kind == "any_of" else len(rules), rules)

    def _rules(self, value: Any, key: str) -> tuple[Rule, ...]:
        if isinstance(value, str) and value.startswith("@"):
            lists = self.data.get("lists", {})
            if value[1:] not in lists:
                self.problem(key, value, f"the name of a list ({', '.join(lists) or 'none declared'})")
                return ()
            value = lists[value[1:]]
        if not isinstance(value, list) or not value:
            self.problem(key, value, "a list of one or more rules")
            return ()
        return tuple(self.rule(entry, f"{key}[{i + 1}]") for i, entry in enumerate(value))

    def _comparison(self, entry: Mapping[str, Any], key: str) -> Compare:
        variable = self.text(entry, "variable", key)
        at = self.choice(entry, "at", key, ("visit", "baseline"), "visit")
        if "is" in entry:
            self.known_keys(entry, ["variable", "is", "at"], key)
            present = self.choice(entry, "is", key, ("yes", "no"), "yes")
            return Compare(variable, "=", 1.0 if present == "yes" else 0.0, "1", at)
        if "falls_percent" in entry or "rises_percent" in entry:
            return self._change(entry, variable, key)
        self.known_keys(entry, ["variable", "op", "value", "unit", "at"], key)
        op = self.resolve(entry.get("op"), f"{key}op")
        if op not in OPERATORS:
            self.problem(f"{key}op", op, f"one of {', '.join(OPERATORS)}")
            op = ">="
        value = self.number(entry, "value", key)
        unit = self.resolve(entry.get("unit"), f"{key}unit")
        if not isinstance(unit, str):
            self.problem(f"{key}unit", unit, 'a unit ("1" for a number without unit)')
            unit = "1"
        unit = normal_unit(unit)
        if variable in FACTORS and unit not in (*accepted_units(variable), *RELATIVE_UNITS):
            expected = ", ".join([*accepted_units(variable), *RELATIVE_UNITS])
            self.problem(f"{key}unit", unit, f"a unit of {variable}: {expected}")
            unit = accepted_units(variable)[0]
        return Compare(variable, str(op), value, unit, at)

    def _change(self, entry: Mapping[str, Any], variable: str, key: str) -> Compare:
        """Read a fall or rise from baseline by at least so many percent."""
        name = "falls_percent" if "falls_percent" in entry else "rises_percent"
        self.known_keys(entry, ["variable", name], key)
        percent = self.number(entry, name, key)
        if percent <= 0 or (name == "falls_percent" and percent > 100):
            self.problem(f"{key}{name}", percent, "a percentage above 0, and at most 100 for a fall")
        factor = 1 - percent / 100 if name == "falls_percent" else 1 + percent / 100
        return Compare(variable, "<=" if name == "falls_percent" else ">=", factor, "x baseline")


def find_criteria(name: str, extra_directories: Iterable[Directory] = ()) -> tuple[str, str]:
    """Find the criteria file NAME.toml in the package or the given folders; return its label and its text.

    Raises `ClinicalError` when there is none, or more than one, so that a study's own file never silently
    replaces a published set of the same name.
    """
    found: list[tuple[str, str]] = []
    own = resources.files("helpers.clinical") / "criteria" / f"{name}.toml"
    if own.is_file():
        found.append((f"criteria/{name}.toml", own.read_text(encoding="utf-8")))
    folders = [Path(folder) for folder in extra_directories]
    for folder in folders:
        if not folder.is_dir():
            raise ClinicalError(f"criteria folder {folder}: not found; expected a folder of .toml files")
        path = folder / f"{name}.toml"
        if path.is_file():
            found.append((str(path), path.read_text(encoding="utf-8-sig")))
    if not found:
        raise ClinicalError(
            f"criteria '{name}': no file {name}.toml; "
            f"expected one of {', '.join(available_criteria(folders))}"
        )
    if len(found) > 1:
        places = " and ".join(label for label, _ in found)
        raise ClinicalError(f"criteria '{name}': found in {places}; give your own file another name")
    return found[0]


def available_criteria(extra_directories: Iterable[Directory] = ()) -> list[str]:
    """List the names of the criteria files in the package and the given folders."""
    own = resources.files("helpers.clinical") / "criteria"
    names = {entry.name.removesuffix(".toml") for entry in own.iterdir() if entry.name.endswith(".toml")}
    for folder in extra_directories:
        names |= {path.stem for path in Path(folder).glob("*.toml")}
    return sorted(names)


@lru_cache(maxsize=64)
def _parsed(text: str) -> Mapping[str, Any]:
    """Parse a criteria file once; nothing that reads the tables changes them."""
    return tomllib.loads(text)


def read_criteria(
    name: str,
    kinds: Sequence[str],
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
) -> CriteriaReader:
    """Open a criteria file of one of `kinds` and read its settings, overriding those in `settings`."""
    label, text = find_criteria(name, extra_directories)
    try:
        data = _parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise ClinicalError(f"criteria file {label}: not readable as TOML: {error}") from None
    reader = CriteriaReader(label, data, dict(settings or {}))
    if data.get("kind") not in kinds:
        reader.problem("kind", data.get("kind"), f"one of {', '.join(kinds)}")
    if data.get("name") != name:
        reader.problem("name", data.get("name"), f"{name}, as the file is called")
    return reader

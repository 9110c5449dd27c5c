"""Reading of criteria files (TOML): found by name, settings put in, shape checked; every fault at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from helpers.clinical.criteria_schema import FORMS, KINDS, RULE_TAG, Node, SettingNode
from helpers.clinical.errors import ClinicalError, CriteriaError, Fault

Directory = Path | str
AnyNode = TypeVar("AnyNode", bound=Node)


@dataclass(frozen=True)
class Setting:
    """An open choice of a criteria file: the value in force, its default, the choices and its standing."""

    value: Any
    default: Any
    choices: tuple[Any, ...] = ()
    standing: str = "unverified"
    note: str = ""


@dataclass
class OpenedFile:
    """A criteria file whose settings are in force; `node` is its content, None where the shape is faulty.

    `faults` grows while rules are made from it; `finish` raises them all.

    >>> opened = open_criteria("hlh_2004", ["criteria"])
    >>> opened.kind
    'criteria'
    >>> opened.fault("needs", found="nothing", expected="a number")
    >>> opened.finish()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.clinical.errors.CriteriaError: criteria file criteria/hlh_2004.toml, key needs: ...
    """

    file: str
    kind: str
    node: Any = None
    settings: Mapping[str, Setting] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, key: str, found: Any, expected: str, remedy: str = "") -> None:
        """Record that `key` holds `found` where `expected` is wanted."""
        shown = "nothing" if found is None else repr(found)
        self.faults.append(Fault(self.file, key, shown, expected, remedy))

    def finish(self) -> None:
        """Raise `CriteriaError` with every fault recorded."""
        if self.faults:
            raise CriteriaError(self.faults)


def open_criteria(
    name: str,
    kinds: Sequence[str],
    *,
    extra_directories: Iterable[Directory] = (),
    settings: Mapping[str, Any] | None = None,
) -> OpenedFile:
    """Open the criteria file NAME.toml of one of `kinds`, with its settings overridden by `settings`.

    Args:
        name: the file's name without ending, which it also states inside.
        kinds: ``criteria``, ``score``, ``response`` or ``toxicity``.
        extra_directories: a cohort's own folders of criteria files.
        settings: values of the file's settings other than their defaults.

    Raises:
        CriteriaError: the shape of the file or a setting is faulty; all faults at once.
        ClinicalError: there is no such file, or more than one.

    >>> open_criteria("hlh_2004", ["criteria"]).file
    'criteria/hlh_2004.toml'
    >>> open_criteria("hlh_2005", ["criteria"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    helpers.clinical.errors.ClinicalError: criteria 'hlh_2005': no file hlh_2005.toml; expec...
    """
    label, text = find_criteria(name, extra_directories)
    try:
        data = _parsed(text)
    except tomllib.TOMLDecodeError as error:
        raise CriteriaError([Fault(label, "", f"text that is not TOML ({error})", "key = value")]) from None
    opened = OpenedFile(label, str(data.get("kind")))
    if opened.kind not in kinds:
        opened.fault("kind", data.get("kind"), f"one of {', '.join(kinds)}")
    if data.get("name") != name:
        opened.fault("name", data.get("name"), f"{name}, as the file is called")
    opened.settings = _settings(opened, data.get("settings", {}), dict(settings or {}))
    if opened.kind in kinds:
        content = {key: value for key, value in data.items() if key not in ("settings", "lists")}
        resolved = _Resolver(opened, data.get("lists", {})).resolved(content, "")
        opened.node = validated(KINDS[opened.kind], resolved, opened)
    if opened.node is None:
        opened.finish()
    return opened


def _settings(opened: OpenedFile, table: Any, given: Mapping[str, Any]) -> dict[str, Setting]:
    """Read the settings of a file, and put the values given by the caller in the place of their defaults."""
    settings: dict[str, Setting] = {}
    if not isinstance(table, dict):
        opened.fault("settings", table, "a table of settings")
        return settings
    for name, entry in table.items():
        node = validated(SettingNode, entry, opened, f"settings.{name}")
        if node is None:
            continue
        value = given.get(name, node.default)
        if node.choices and value not in node.choices:
            opened.fault(f"settings.{name}", value, f"one of {', '.join(map(str, node.choices))}")
        elif isinstance(value, str) != isinstance(node.default, str):
            opened.fault(f"settings.{name}", value, f"a value like {node.default!r}")
        settings[name] = Setting(value, node.default, node.choices, node.standing, node.note)
    for name in given:
        if name not in table:
            known = ", ".join(table) or "none"
            opened.fault(f"settings.{name}", given[name], f"one of the settings of this file ({known})")
    return settings


@dataclass
class _Resolver:
    """Puts settings ("$name"), lists ("@name") and choices (`choose`) in their places."""

    opened: OpenedFile
    lists: Any

    def resolved(self, value: Any, key: str) -> Any:
        if isinstance(value, str) and value.startswith("$"):
            return self._setting(value, key)
        if isinstance(value, str) and value.startswith("@"):
            return self._list(value, key)
        if isinstance(value, list):
            return [self.resolved(entry, f"{key}[{i}]") for i, entry in enumerate(value, 1)]
        if isinstance(value, dict):
            return self._chosen(value, key) if "choose" in value else self._table(value, key)
        return value

    def _table(self, table: dict[str, Any], key: str) -> dict[str, Any]:
        found = {
            name: self.resolved(entry, f"{key}.{name}" if key else name) for name, entry in table.items()
        }
        changed = self._changed(table.get("value"))
        # A limit that the caller has moved is printed nowhere: what is printed in other units goes with it.
        return {name: entry for name, entry in found.items() if not (changed and name == "printed")}

    def _changed(self, value: Any) -> bool:
        if not isinstance(value, str) or value[1:] not in self.opened.settings:
            return False
        setting = self.opened.settings[value[1:]]
        return bool(setting.value != setting.default)

    def _setting(self, value: str, key: str) -> Any:
        if value[1:] in self.opened.settings:
            return self.opened.settings[value[1:]].value
        known = ", ".join(self.opened.settings) or "none declared"
        self.opened.fault(key, value, f"the name of a setting ({known})")
        return None

    def _list(self, value: str, key: str) -> Any:
        lists = self.lists if isinstance(self.lists, dict) else {}
        if value[1:] in lists:
            return self.resolved(lists[value[1:]], f"lists.{value[1:]}")
        self.opened.fault(key, value, f"the name of a list ({', '.join(lists) or 'none declared'})")
        return []

    def _chosen(self, table: dict[str, Any], key: str) -> Any:
        among = table.get("among")
        choice = self.resolved(table["choose"], f"{key}.choose")
        if set(table) != {"choose", "among"} or not isinstance(among, dict):
            self.opened.fault(key, ", ".join(table), 'choose = "$setting" and among = { choice = rule, ... }')
            return None
        if choice not in among:
            self.opened.fault(f"{key}.choose", choice, f"one of {', '.join(among)}")
            return None
        return self.resolved(among[choice], f"{key}.among.{choice}")


# --- faults of the shape, in words --------------------------------------------------------------------


def validated(model: type[AnyNode], value: Any, opened: OpenedFile, place: str = "") -> AnyNode | None:
    """Return a table as a model; record its faults and return None where it has another shape."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        told = {fault.key for fault in opened.faults}
        for detail in _innermost(error.errors()):
            key = _dotted(place, detail["loc"])
            if key not in told:
                opened.fault(key, *_in_words(detail, model))
        return None


def _innermost(details: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop what is said of a list as a whole where one of its own entries is at fault."""
    places = [detail["loc"] for detail in details]

    def encloses(place: tuple[int | str, ...]) -> bool:
        return any(len(place) < len(other) and other[: len(place)] == place for other in places)

    return [detail for detail in details if not encloses(detail["loc"])]


def _dotted(place: str, loc: tuple[int | str, ...]) -> str:
    text = place
    for part in loc:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        elif not part.startswith(RULE_TAG):
            text += f".{part}" if text else part
    return text


_EXPECTED = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "string_too_short": "a text",
    "bool_type": "true or false",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def _in_words(detail: ErrorDetails, model: type[Node]) -> tuple[Any, str]:
    """Return what was found and what was expected."""
    kind, value, context = detail["type"], detail["input"], detail.get("ctx", {})
    last = detail["loc"][-1] if detail["loc"] else ""
    if kind == "extra_forbidden":
        return last, f"one of {', '.join(_keys_at(model, detail['loc'][:-1]))}"
    if kind == "missing":
        return None, _wanted(model, detail["loc"])
    if kind == "literal_error":
        words = [word.strip("'") for word in context["expected"].replace(" or ", ", ").split(", ")]
        if last == "[key]":
            return detail["loc"][-2], f"one of {', '.join(words)}"
        return value, f"one of {', '.join(words)}"
    if kind == "rule_form":
        return (", ".join(value) if isinstance(value, dict) else value) or None, detail["msg"]
    if kind in ("too_short", "tuple_type", "list_type"):
        return value or None, "a list of one or more"
    if kind in ("greater_than", "greater_than_equal", "less_than_equal"):
        sign = {"greater_than": "above", "greater_than_equal": "of at least", "less_than_equal": "of at most"}
        return value, f"a number {sign[kind]} {next(iter(context.values())):g}"
    return value, _EXPECTED.get(kind, detail["msg"])


def _wanted(model: type[Node], loc: tuple[int | str, ...]) -> str:
    """What a required key that is missing should hold."""
    name = str(loc[-1])
    found = _field(_model_at(model, loc[:-1]), name)
    annotation = str(found.annotation) if found is not None else ""
    if "tuple" in annotation or "dict" in annotation:
        return f"one or more tables [[{name}]]" if "Node" in annotation else "a list of one or more"
    if annotation == "<class 'float'>":
        return "a number"
    return f"a table [{name}]" if "Node" in annotation and "Rule" not in name else "a text"


def _keys_at(model: type[Node], loc: tuple[int | str, ...]) -> list[str]:
    found = _model_at(model, loc)
    return [] if found is None else [field.alias or name for name, field in found.model_fields.items()]


def _field(model: type[Node] | None, name: str) -> Any:
    fields = {} if model is None else model.model_fields
    return next((one for key, one in fields.items() if (one.alias or key) == name), None)


def _model_at(model: type[Node], loc: tuple[int | str, ...]) -> type[Node] | None:
    """Return the model of the table at a place."""
    here: type[Node] | None = model
    for part in loc:
        if isinstance(part, str) and part.startswith(RULE_TAG):
            here = FORMS[part]
        elif isinstance(part, str) and here is not None:
            found = _field(here, part)
            inner = None if found is None else _inner(found.annotation)
            here = here if inner is None else inner
    return here


def _inner(annotation: Any) -> type[Node] | None:
    if isinstance(annotation, type) and issubclass(annotation, Node):
        return annotation
    return next((found for one in get_args(annotation) if (found := _inner(one)) is not None), None)


# --- finding files ------------------------------------------------------------------------------------


def find_criteria(name: str, extra_directories: Iterable[Directory] = ()) -> tuple[str, str]:
    """Find the criteria file NAME.toml in the package or the given folders; return its label and its text.

    Raises `ClinicalError` when there is none, or more than one, so that a study's own file never silently
    replaces a published set of the same name.

    >>> find_criteria("hlh_2004")[1].splitlines()[0][:5]
    'kind '
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
    """List the names of the criteria files in the package and the given folders.

    >>> "hlh_2004" in available_criteria()
    True
    """
    own = resources.files("helpers.clinical") / "criteria"
    names = {entry.name.removesuffix(".toml") for entry in own.iterdir() if entry.name.endswith(".toml")}
    for folder in extra_directories:
        names |= {path.stem for path in Path(folder).glob("*.toml")}
    return sorted(names)


def criteria_kinds(extra_directories: Iterable[Directory] = ()) -> dict[str, str]:
    """Return the kind of every criteria file of the package and the given folders; "" of what has none.

    >>> criteria_kinds()["ctcae_v5"], criteria_kinds()["hscore"]
    ('toxicity', 'score')
    """
    kinds = {}
    for name in available_criteria(extra_directories):
        try:
            kinds[name] = str(_parsed(find_criteria(name, extra_directories)[1]).get("kind", ""))
        except (tomllib.TOMLDecodeError, ClinicalError):
            kinds[name] = ""
    return kinds


@lru_cache(maxsize=64)
def _parsed(text: str) -> Mapping[str, Any]:
    """Parse a criteria file once; nothing that reads the tables changes them."""
    return tomllib.loads(text)

"""Texts made from the model: a documented `cohort.toml` to start from, and `data/README.md`.

>>> "[follow_up]" in skeleton_config()
True
>>> toml_value(["a", 1]), toml_value(True), toml_value({"low": 1.5})
('["a", 1]', 'true', '{low = 1.5}')
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from helpers.cohort.config import inner_model, is_mapping
from helpers.cohort.settings import CohortConfig

_WIDTH = 100

_EXAMPLE: dict[str, Any] = {
    "title": "Title of the cohort",
    "provenance": "real",
    "group": [
        {"id": "treated", "label": "Treated", "role": "treated", "day0": "first dose of the drug"},
        {"id": "control", "label": "Control", "role": "reference", "day0": "diagnosis of refractory disease"},
    ],
    "follow_up": {"horizon_days": 56},
    "visit": [
        {"id": "baseline", "label": "Baseline", "day": 0, "window": [-7, 3]},
        {"id": "week_1", "label": "Week 1", "day": 7, "window": [4, 10]},
        {"id": "week_2", "label": "Week 2", "day": 14, "window": [11, 17]},
        {"id": "week_3", "label": "Week 3", "day": 21, "window": [18, 28]},
        {"id": "week_8", "label": "Week 8", "day": 56, "window": [49, 63]},
    ],
}


def skeleton_config(values: Mapping[str, Any] | None = None) -> str:
    """Return the text of a documented `cohort.toml`.

    Every key of the model stands in it with its description; optional keys are comments that show their
    default. `values` (nested as in the file, e.g. {"title": ..., "tables": {"patients": {"columns": {...}}}})
    replaces the example's values key by key at the top level. The text loads as it is.
    """
    given = {**_EXAMPLE, **(values or {})}
    lines = ["# Settings of one cohort. Keys written as comments show their default or an example.", ""]
    sections: list[str] = []
    for name, field in CohortConfig.model_fields.items():
        key = field.alias or name
        model = inner_model(field.annotation)
        if model is None and not is_mapping(field.annotation):
            lines += _key(key, field, given)
        elif key in given and isinstance(given[key], list):
            for number, item in enumerate(given[key]):
                sections += _array_item(key, field, model, item, first=number == 0)
        elif model is not None and not is_mapping(field.annotation) and not _is_array(field):
            sections += _section(key, field, model, given.get(key, {}))
        else:
            sections += _mapping(key, field, model, given.get(key))
    return "\n".join([*lines, *sections]).rstrip("\n") + "\n"


def _is_array(field: FieldInfo) -> bool:
    return str(field.annotation).startswith("tuple")


def _comment(text: str, indent: str = "# ") -> list[str]:
    words, lines, line = text.split(), [], indent.rstrip()
    for word in words:
        if len(line) + len(word) + 1 > _WIDTH:
            lines.append(line)
            line = indent.rstrip()
        line += " " + word
    return [*lines, line]


def _key(key: str, field: FieldInfo, given: Mapping[str, Any]) -> list[str]:
    lines = _comment(field.description or "")
    if key in given:
        return [*lines, f"{_bare(key)} = {toml_value(given[key])}", ""]
    default = field.get_default(call_default_factory=True)
    if default is None or default == "":
        # An example, since an empty value would not be valid once the comment sign is taken away.
        example = field.examples[0] if field.examples else ""
        return [*lines, f"# {key} = {toml_value(example)}", ""]
    return [*lines, f"# {key} = {toml_value(default)}", ""]


def _section(key: str, field: FieldInfo, model: type[BaseModel], given: Mapping[str, Any]) -> list[str]:
    lines = [*_comment(model.__doc__ or field.description or ""), f"[{key}]", ""]
    for name, inner in model.model_fields.items():
        lines += _key(inner.alias or name, inner, given)
    return lines


def _array_item(
    key: str, field: FieldInfo, model: type[BaseModel] | None, item: Mapping[str, Any], *, first: bool
) -> list[str]:
    lines = [*_comment(field.description or "")] if first else []
    lines.append(f"[[{key}]]")
    for name, inner in model.model_fields.items() if model else ():
        if first or name in item:
            block = _key(name, inner, item)
            lines += block[:-1] if first else [block[-2]]
    return [*lines, ""]


def _mapping(key: str, field: FieldInfo, model: type[BaseModel] | None, given: object) -> list[str]:
    """Write a section of free names; without values it is a comment with the keys an entry may have."""
    lines = _comment(field.description or "")
    if isinstance(given, Mapping) and given:
        return [*lines, *_tables((key,), given)]
    if model is None:
        return [*lines, f"# [{key}]", ""]
    header = f"# [[{key}]]" if _is_array(field) else f"# [{key}.NAME]"
    lines.append(header)
    for name, inner in model.model_fields.items():
        example = inner.examples[0] if inner.examples else inner.get_default(call_default_factory=True)
        lines += _comment(inner.description or "", "#   ")
        lines.append(f"#   {name} = {toml_value('' if example is None else example)}")
    return [*lines, ""]


def _tables(path: tuple[str, ...], values: Mapping[str, Any]) -> list[str]:
    """Write nested mappings as TOML tables."""
    plain = {k: v for k, v in values.items() if not isinstance(v, Mapping)}
    nested = {k: v for k, v in values.items() if isinstance(v, Mapping)}
    lines = []
    if plain or not nested:
        lines.append("[" + ".".join(_bare(part) for part in path) + "]")
        lines += [f"{_bare(k)} = {toml_value(v)}" for k, v in plain.items() if v is not None]
        lines.append("")
    for k, v in nested.items():
        lines += _tables((*path, k), v)
    return lines


def _bare(key: str) -> str:
    plain = key.isascii() and key.replace("_", "").replace("-", "").isalnum()
    return key if plain else toml_value(key)


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it (text, number, truth value, date, list or inline table)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | date):
        return str(value)
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_bare(str(k))} = {toml_value(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    raise TypeError(f"no TOML for {type(value).__name__}")

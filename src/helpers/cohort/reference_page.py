"""`docs/cohort_toml.md` and the JSON schema of `cohort.toml`, made from the models of the settings.

>>> reference_page().splitlines()[0], json_schema()[0]
('# cohort.toml', '{')
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from helpers.cohort.config import inner_model, is_mapping
from helpers.cohort.guide import toml_value
from helpers.cohort.settings import CohortConfig

ROOT = Path(__file__).resolve().parents[3]
PAGE_PATH = ROOT / "docs" / "cohort_toml.md"
SCHEMA_PATH = ROOT / "docs" / "cohort.schema.json"

_HEAD = """\
# cohort.toml

Every key of the settings of a cohort. This page and `cohort.schema.json` are made from the models by
`python -m helpers.cohort.reference_page`; a test checks that they are current. Editors that know JSON schemas
check a file while it is written if its first line is

```toml
#:schema ../../../docs/cohort.schema.json
```

`compendium new` writes a first file with all keys as comments; `compendium check` names every wrong key with
its line.
"""


def reference_page() -> str:
    """Return the text of the page: a section a table of the file, a row a key."""
    plain: list[str] = []
    sections: list[str] = []
    for name, field in CohortConfig.model_fields.items():
        key = field.alias or name
        model = inner_model(field.annotation)
        if model is None:
            plain.append(_row(key, field))
            continue
        many = str(field.annotation).startswith("tuple")
        title = f"[[{key}]]" if many else f"[{key}.NAME]" if is_mapping(field.annotation) else f"[{key}]"
        sections += ["", f"## `{title}`", "", field.description or "", "", *_TABLE]
        sections += list(_rows(model))
    return "\n".join([_HEAD, "## Keys of the file itself", "", *_TABLE, *plain, *sections]) + "\n"


_TABLE = ("| key | meaning | default | example |", "|---|---|---|---|")


def _rows(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        inner = inner_model(field.annotation)
        yield _row(key, field)
        if inner is not None:
            yield from _rows(inner, f"{key}.")


def _row(key: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _value(field.get_default(call_default_factory=True))
    example = _value(field.examples[0]) if field.examples else ""
    return f"| `{key}` | {_cell(field.description or '')} | {default} | {example} |"


def _value(value: Any) -> str:
    if value is None or value in ("", (), {}) or isinstance(value, BaseModel):
        return ""
    return f"`{_cell(toml_value(value))}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def json_schema() -> str:
    """Return the JSON schema of `cohort.toml`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **CohortConfig.model_json_schema()}
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    PAGE_PATH.write_text(reference_page(), encoding="utf-8")
    SCHEMA_PATH.write_text(json_schema(), encoding="utf-8")

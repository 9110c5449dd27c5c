"""Keep nbformat from compiling the grammar of international web addresses at every start (two seconds).

jsonschema does without it where it is not installed, and no notebook holds what it would check. Import this
before nbformat.
"""

import sys
from types import ModuleType
from typing import cast

sys.modules.setdefault("rfc3987_syntax", cast("ModuleType", None))

"""Settings of Sphinx for the pages that `build.py` has gathered; nothing is fetched, here or by a reader."""

from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.ext.napoleon.docstring import GoogleDocstring
from sphinx.util.inspect import TypeAliasForwardRef

project = "RD-MAS compendium"
author = "The RD-MAS compendium contributors"
copyright = "The RD-MAS compendium contributors"  # noqa: A001
version = release = version_of("rdmas-compendium")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "myst-nb", ".ipynb": "myst-nb"}

# Words in single backticks are code, in docstrings as in Markdown.
default_role = "literal"
autodoc_default_options = {"members": True}
# Arrays by the names that the modules have for them.
autodoc_type_aliases = {
    name: name for name in ("Floats", "Bools", "Ints", "Signs", "Bounds", "StateArray", "BoolArray")
}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 90
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False

# References within the package must lead somewhere; other libraries' pages are not at hand offline.
nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(?!helpers\.).*"),
    # What types are called among themselves: type variables and unions have no entry of their own.
    ("py:class", r"helpers\.clinical\.criteria_files\.AnyNode|helpers\.clinical\.response\.MarkerStates"),
    ("py:class", r"helpers\.stats\.group_tests\.Run"),
]

# Notebooks are shown as they are stored: the run has executed them and nbval has compared them.
nb_execution_mode = "off"
nb_render_markdown_format = "gfm"
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # no stored output holds a widget; the defaults are on a CDN
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

html_theme = "furo"
html_title = project
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_permalinks_icon = "#"


def setup(app: Sphinx) -> None:
    """Name csv, which GitHub knows and Pygments does not; take a property's docstring for text."""
    app.add_lexer("csv", TextLexer)
    # Napoleon would read "One row a time: time, n_risk" as a type before a colon.
    GoogleDocstring._parse_attribute_docstring = GoogleDocstring._consume_to_end
    # Within a tuple the name of an array's type would be shown with the machinery around it.
    TypeAliasForwardRef.__repr__ = lambda self: self.name

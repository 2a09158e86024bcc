"""The documentation as a site: `make docs`. What is ours in it is `scripts/site`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from ordercast.version import __version__

project = "Ordercast"
release = __version__
copyright = "Ordercast, MIT license"
html_title = "Ordercast"

extensions = ["myst_parser", "sphinx.ext.autodoc", "scripts.site"]
exclude_patterns = ["_static"]

# Markdown as a code host reads it: headings can be linked to, as it names them.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_block"]

# `name` in a docstring is a link where there is such a thing.
default_role = "py:obj"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_class_signature = "mixed"
toc_object_entries_show_parents = "hide"
add_module_names = False
nitpick_ignore_regex = [("py:.*", ".*")]  # the language's, others' and our inner names: nothing to lead to
suppress_warnings = ["ref.python"]  # an `Order` is the server's or the client's: the nearer one

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_favicon = "_static/icon.svg"
html_logo = "_static/icon.svg"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#0b6b53",
        "color-brand-content": "#0b6b53",
        "color-brand-visited": "#0b6b53",
    },
    "dark_css_variables": {
        "color-brand-primary": "#5fd3ae",
        "color-brand-content": "#5fd3ae",
        "color-brand-visited": "#5fd3ae",
    },
}

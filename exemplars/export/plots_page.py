"""The page of `dvc plots show` and `dvc plots diff`, with everything inside: DVC's own loads Vega from a network."""

from __future__ import annotations

from pathlib import Path
from typing import Final

TEMPLATE: Final = Path(".dvc/plots/page.html")
"""Where the template of the page is: in the repository, as a setting in `.dvc/config` names it."""
SETTING: Final = ("plots.html_template", "plots/page.html")
"""The setting and its value, which is relative to `.dvc`."""
_SNIPPET: Final = """
window.vegaEmbed = (element, spec) => {
  if (Object.keys(spec).length) return vegaEmbed(element, spec, {renderer: "svg"});
  document.querySelector(element).remove();
};
"""
"""What the bundle adds to Vega. The plot of a file that does not exist yet has an empty specification."""
_PAGE: Final = """\
<!doctype html>
<!-- Written by `exemplars plots-template`, with VERSION. -->
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Plots</title>
<link rel="icon" href="data:,">
{refresh_tag}
<style>
body { margin: 1rem; font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; }
main { display: flex; flex-wrap: wrap; gap: 2rem; align-items: flex-start; }
main > div { max-width: 100%; overflow-x: auto; }
table { border-spacing: 15px; }
</style>
<script>BUNDLE</script>
</head>
<body>
<main>
{plot_divs}
</main>
</body>
</html>
"""


def build_plots_template() -> str:
    """Build the template of the page: the same for the same version of vl-convert."""
    from importlib.metadata import version

    import vl_convert

    bundle = vl_convert.javascript_bundle(_SNIPPET).replace("</script", "<\\/script")
    page = _PAGE.replace("VERSION", name_bundle_version(version("vl-convert-python")))
    return page.replace("BUNDLE", bundle)


def name_bundle_version(version: str) -> str:
    """Name what the bundle comes from, as the template's first comment does."""
    return f"Vega as vl-convert-python {version} has it"

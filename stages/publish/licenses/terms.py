"""The license table: what each license requires. Clashes and obligations are derived from it.

Its source is the text of each license, or what the license's steward says; a comment above each group names
it. A license that is not in the table has the term `UNKNOWN` and clashes with every other license.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Term(StrEnum):
    """A kind of requirement of a license."""

    NOTICE = "notice"
    """Permissive: the license text and the copyright notice stay with every copy."""
    ATTRIBUTION = "attribution"
    """The authors are named, with a link to the license and a note of what was changed."""
    SHARE_ALIKE = "share-alike"
    """What is made from it is shared under the same license."""
    COPYLEFT = "copyleft"
    """What is made from it is shared under the same license, with its source."""
    NON_COMMERCIAL = "non-commercial"
    """It is not used for commercial advantage."""
    NO_DERIVATIVES = "no-derivatives"
    """What is made from it is not shared at all."""
    UNKNOWN = "unknown"
    """Its terms are not in the table."""


RECIPROCAL: Final = frozenset({Term.SHARE_ALIKE, Term.COPYLEFT})
"""Terms that prescribe the license of the whole."""

_FREE: Final = frozenset[Term]()
_NOTICE: Final = frozenset({Term.NOTICE})
_BY: Final = frozenset({Term.ATTRIBUTION})
_SHARE_ALIKE: Final = frozenset({Term.ATTRIBUTION, Term.SHARE_ALIKE})
_COPYLEFT: Final = frozenset({Term.NOTICE, Term.COPYLEFT})
_CC_VERSIONS: Final = ("1.0", "2.0", "2.5", "3.0", "4.0")

TERMS: Final[dict[str, frozenset[Term]]] = {
    # Dedications to the public domain require nothing: the texts of CC0 §2, PDDL §3, Unlicense, 0BSD, MIT-0.
    **dict.fromkeys(("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "CC-PDDC"), _FREE),
    # The Open Source Initiative's permissive licenses: keep the notice (Apache-2.0 §4, MIT, BSD).
    # CDLA-Permissive-2.0 §2: share the text of the agreement, too.
    **dict.fromkeys(
        ("Apache-2.0", "MIT", "BSD-2-Clause", "BSD-3-Clause", "BSD-4-Clause", "ISC", "Zlib", "BSL-1.0"),
        _NOTICE,
    ),
    **dict.fromkeys(("CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "OGL-UK-3.0", "etalab-2.0"), _NOTICE),
    # Creative Commons: BY §3(a), SA §3(b), NC §2(a)(1), ND §2(a)(1)(B) of the 4.0 texts; earlier ones alike.
    **{f"CC-BY-{version}": _BY for version in _CC_VERSIONS},
    **{f"CC-BY-SA-{version}": _SHARE_ALIKE for version in _CC_VERSIONS},
    **{f"CC-BY-NC-{version}": _BY | {Term.NON_COMMERCIAL} for version in _CC_VERSIONS},
    **{f"CC-BY-NC-SA-{version}": _SHARE_ALIKE | {Term.NON_COMMERCIAL} for version in _CC_VERSIONS},
    **{f"CC-BY-ND-{version}": _BY | {Term.NO_DERIVATIVES} for version in _CC_VERSIONS},
    **{
        f"CC-BY-NC-ND-{version}": _BY | {Term.NON_COMMERCIAL, Term.NO_DERIVATIVES} for version in _CC_VERSIONS
    },
    # Open Data Commons: ODC-By §4.2 and §4.3; ODbL §4.2 to §4.4. Community Data License Agreement, Sharing §3.
    "ODC-By-1.0": _BY,
    "ODbL-1.0": _SHARE_ALIKE,
    "CDLA-Sharing-1.0": _SHARE_ALIKE,
    # The Free Art License 1.3 §2 and §3.
    "LAL-1.3": _SHARE_ALIKE,
    # The Free Software Foundation's licenses, Mozilla's (§3.1), and the European Union's (art. 5).
    **{
        f"{name}-{which}": _COPYLEFT
        for name in ("GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "AGPL-3.0", "GFDL-1.3")
        for which in ("only", "or-later")
    },
    "MPL-2.0": _COPYLEFT,
    "EUPL-1.2": _COPYLEFT,
}
"""By SPDX identifier."""

_GPL_3: Final = frozenset({"GPL-3.0-only", "GPL-3.0-or-later"})
_AGPL_3: Final = frozenset({"AGPL-3.0-only", "AGPL-3.0-or-later"})
_GPL_2: Final = frozenset({"GPL-2.0-only", "GPL-2.0-or-later"})
_LGPL_3: Final = frozenset({"LGPL-3.0-only", "LGPL-3.0-or-later"})

COMPATIBLE_LICENSES: Final[dict[str, frozenset[str]]] = {
    # "A later version of this License": CC BY-SA and BY-NC-SA 2.0 and 2.5 §4(b), 3.0 §4(b)(ii).
    **{
        f"CC-{kind}-{version}": frozenset(f"CC-{kind}-{later}" for later in _CC_VERSIONS if later > version)
        for kind in ("BY-SA", "BY-NC-SA")
        for version in ("2.0", "2.5", "3.0")
    },
    # Creative Commons' list of compatible licenses for BY-SA 4.0: FAL 1.3 both ways, GPLv3 one way.
    "CC-BY-SA-4.0": frozenset({"LAL-1.3", *_GPL_3}),
    "LAL-1.3": frozenset({"CC-BY-SA-4.0"}),
    # GPL FAQ, "How are the various GNU licenses compatible with each other?", and GPLv3 §13.
    "GPL-2.0-only": frozenset({"GPL-2.0-or-later"}),
    "GPL-2.0-or-later": _GPL_2 | _GPL_3 | _AGPL_3,
    **dict.fromkeys(_GPL_3, _GPL_3 | _AGPL_3),
    **dict.fromkeys(_AGPL_3, _AGPL_3),
    "LGPL-2.1-only": _GPL_2 | _GPL_3 | _AGPL_3 | {"LGPL-2.1-or-later"},
    "LGPL-2.1-or-later": _GPL_2 | _GPL_3 | _AGPL_3 | _LGPL_3 | {"LGPL-2.1-only"},
    **dict.fromkeys(_LGPL_3, _LGPL_3 | _GPL_3 | _AGPL_3),
    **dict.fromkeys(
        ("GFDL-1.3-only", "GFDL-1.3-or-later"), frozenset({"GFDL-1.3-only", "GFDL-1.3-or-later"})
    ),
    # MPL 2.0 §1.12 and §3.3: the secondary licenses.
    "MPL-2.0": _GPL_2 | _GPL_3 | _AGPL_3 | _LGPL_3 | {"LGPL-2.1-only", "LGPL-2.1-or-later"},
    # EUPL 1.2, appendix: compatible licenses.
    "EUPL-1.2": _GPL_2
    | _GPL_3
    | _AGPL_3
    | _LGPL_3
    | {"LGPL-2.1-only", "LGPL-2.1-or-later", "MPL-2.0", "CC-BY-SA-3.0"},
}
"""By reciprocal license: the other licenses under which a whole that contains its material may be shared."""

INCOMPATIBLE_PAIRS: Final[dict[frozenset[str], str]] = {
    # The Free Software Foundation's list of licenses: what GPLv2, or every GPL, is incompatible with.
    frozenset({"Apache-2.0", "GPL-2.0-only"}): (
        "Apache-2.0 has patent conditions that version 2 of the GPL does not allow"
    ),
    **{
        frozenset({"BSD-4-Clause", gpl}): "the advertising clause of BSD-4-Clause is forbidden by the GPL"
        for gpl in sorted(_GPL_2 | _GPL_3 | _AGPL_3)
    },
}
"""Pairs that clash for a reason of their own, although their terms in general do not; with the reason."""

HUB_NAMES: Final[dict[str, str]] = {
    "GPL-2.0-only": "gpl-2.0",
    "GPL-2.0-or-later": "gpl-2.0",
    "GPL-3.0-only": "gpl-3.0",
    "GPL-3.0-or-later": "gpl-3.0",
    "AGPL-3.0-only": "agpl-3.0",
    "AGPL-3.0-or-later": "agpl-3.0",
    "LGPL-2.1-only": "lgpl-2.1",
    "LGPL-2.1-or-later": "lgpl-2.1",
    "LGPL-3.0-only": "lgpl-3.0",
    "LGPL-3.0-or-later": "lgpl-3.0",
    "ODC-By-1.0": "odc-by",
    "ODbL-1.0": "odbl",
    "PDDL-1.0": "pddl",
    "etalab-2.0": "etalab-2.0",
}
"""The Hugging Face hub's names of licenses, where they are not the SPDX identifier in lower case."""


def strip_exception(license: str) -> str:
    """Strip the exception from a license: exceptions are about programs, not data.

    >>> strip_exception("GPL-3.0-only WITH GCC-exception-3.1")
    'GPL-3.0-only'
    """
    return license.partition(" WITH ")[0]


def find_terms(license: str) -> frozenset[Term]:
    """Find the terms of a license by its SPDX identifier."""
    return TERMS.get(strip_exception(license), frozenset({Term.UNKNOWN}))


def list_compatible_licenses(license: str) -> frozenset[str]:
    """List the licenses under which a whole that contains material of this reciprocal license may be shared."""
    name = strip_exception(license)
    return COMPATIBLE_LICENSES.get(name, frozenset()) | {name}

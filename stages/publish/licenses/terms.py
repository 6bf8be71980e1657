"""What each licence demands: the table that clashes and duties are read from.

The judgements are those of the licences' own texts and stewards, named beside each group. A licence that is
not in the table is `UNKNOWN`: nobody has judged it here, so it is told apart from all others.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Term(StrEnum):
    """One demand of a licence."""

    NOTICE = "notice"
    """Permissive: the licence text and the copyright notice go along."""
    ATTRIBUTION = "attribution"
    """The authors are named, with a link to the licence and a word on what was changed."""
    SHARE_ALIKE = "share-alike"
    """What is made of it is passed on under the same licence."""
    COPYLEFT = "copyleft"
    """What is made of it is passed on under the same licence, with its source."""
    NON_COMMERCIAL = "non-commercial"
    """It is not used for commercial advantage."""
    NO_DERIVATIVES = "no-derivatives"
    """What is made of it is not passed on at all."""
    UNKNOWN = "unknown"
    """Its terms are not in the table."""


RECIPROCAL: Final = frozenset({Term.SHARE_ALIKE, Term.COPYLEFT})
"""Terms that prescribe the licence of the whole."""

_FREE: Final = frozenset[Term]()
_NOTICE: Final = frozenset({Term.NOTICE})
_BY: Final = frozenset({Term.ATTRIBUTION})
_SHARE_ALIKE: Final = frozenset({Term.ATTRIBUTION, Term.SHARE_ALIKE})
_COPYLEFT: Final = frozenset({Term.NOTICE, Term.COPYLEFT})
_CC_VERSIONS: Final = ("1.0", "2.0", "2.5", "3.0", "4.0")

TERMS: Final[dict[str, frozenset[Term]]] = {
    # Dedications to the public domain demand nothing: the texts of CC0 §2, PDDL §3, Unlicense, 0BSD, MIT-0.
    **dict.fromkeys(("CC0-1.0", "PDDL-1.0", "Unlicense", "0BSD", "MIT-0", "CC-PDDC"), _FREE),
    # The Open Source Initiative's permissive licences: keep the notice (Apache-2.0 §4, MIT, BSD).
    # CDLA-Permissive-2.0 §2: the text of the agreement goes along.
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
    # The Free Software Foundation's licences, Mozilla's (§3.1), and the European Union's (art. 5).
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

ALSO_UNDER: Final[dict[str, frozenset[str]]] = {
    # "A later version of this License": CC BY-SA and BY-NC-SA 2.0 and 2.5 §4(b), 3.0 §4(b)(ii).
    **{
        f"CC-{kind}-{version}": frozenset(f"CC-{kind}-{later}" for later in _CC_VERSIONS if later > version)
        for kind in ("BY-SA", "BY-NC-SA")
        for version in ("2.0", "2.5", "3.0")
    },
    # Creative Commons' list of compatible licences for BY-SA 4.0: FAL 1.3 both ways, GPLv3 one way.
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
    # MPL 2.0 §1.12 and §3.3: the secondary licences.
    "MPL-2.0": _GPL_2 | _GPL_3 | _AGPL_3 | _LGPL_3 | {"LGPL-2.1-only", "LGPL-2.1-or-later"},
    # EUPL 1.2, appendix: compatible licences.
    "EUPL-1.2": _GPL_2
    | _GPL_3
    | _AGPL_3
    | _LGPL_3
    | {"LGPL-2.1-only", "LGPL-2.1-or-later", "MPL-2.0", "CC-BY-SA-3.0"},
}
"""Under which other licences a whole may be passed on that holds material of a reciprocal one."""

AT_ODDS: Final[dict[frozenset[str], str]] = {
    # The Free Software Foundation's list of licences: what GPLv2, or all of the GPL, cannot be joined with.
    **dict.fromkeys(
        (frozenset({"Apache-2.0", "GPL-2.0-only"}),),
        "Apache-2.0 has patent conditions that version 2 of the GPL does not allow",
    ),
    **{
        frozenset({"BSD-4-Clause", gpl}): "the advertising clause of BSD-4-Clause is one that the GPL forbids"
        for gpl in sorted(_GPL_2 | _GPL_3 | _AGPL_3)
    },
}
"""Pairs that clash though neither prescribes what the other forbids in general, with the reason."""

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
"""How the Hugging Face hub calls a licence whose name there is not the SPDX identifier in lower case."""


def without_exception(licence: str) -> str:
    """`GPL-3.0-only` of `GPL-3.0-only WITH GCC-exception-3.1`: exceptions are about programs, not data."""
    return licence.partition(" WITH ")[0]


def terms_of(licence: str) -> frozenset[Term]:
    """What a licence demands, by its SPDX identifier."""
    return TERMS.get(without_exception(licence), frozenset({Term.UNKNOWN}))


def wholes_of(licence: str) -> frozenset[str]:
    """The licences under which a whole may be passed on that holds material of this reciprocal one."""
    plain = without_exception(licence)
    return ALSO_UNDER.get(plain, frozenset()) | {plain}

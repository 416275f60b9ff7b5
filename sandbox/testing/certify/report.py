"""The report of a certification, and its forms for programs: JSON, JUnit and SARIF."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote
from xml.etree import ElementTree as ET

from sandbox._version import __version__
from sandbox.testing.certify.checks import CHECKS
from sandbox.testing.certify.run import Answer, Run, Verdict, numbers
from sandbox.web.project import project_url

_ANSWERS: Final[tuple[Answer, ...]] = ("pass", "fail", "info", "not_reached")
_NAME: Final = max(map(len, CHECKS))
MAX_LISTED: Final = 200
"""Entries of a verdict, and payloads of a run, that the JSON names; it counts the others."""


class CertificationError(AssertionError):
    """A client failed a check, or reached none."""


@dataclass(frozen=True)
class Report:
    """The verdicts on a client, and the runs that they rest on. ``command`` is the client in words."""

    command: str
    verdicts: tuple[Verdict, ...]
    runs: tuple[Run, ...]
    seed: int | None = None

    @property
    def summary(self) -> dict[str, int]:
        """How many verdicts there are of each kind."""
        counts = Counter(verdict.verdict for verdict in self.verdicts)
        return {answer: counts[answer] for answer in _ANSWERS}

    @property
    def failed(self) -> list[Verdict]:
        """The checks that the client failed."""
        return [verdict for verdict in self.verdicts if verdict.verdict == "fail"]

    @property
    def passed(self) -> list[Verdict]:
        """The checks that the client passed."""
        return [verdict for verdict in self.verdicts if verdict.verdict == "pass"]

    @property
    def exit_code(self) -> int:
        """0 where no check failed and one passed, 1 where one failed, 2 where nothing was reached."""
        return 1 if self.failed else 0 if self.passed else 2

    def verdict(self, check: str) -> Verdict:
        """Return the verdict of a check."""
        return next(verdict for verdict in self.verdicts if verdict.check == check)

    def run(self, storm: str) -> Run:
        """Return the run of a storm."""
        return next(run for run in self.runs if run.storm.name == storm)

    def assert_passed(self) -> None:
        """Raise ``CertificationError``, an ``AssertionError``, unless a check passed and none failed."""
        if self.exit_code:
            said = "\n".join(f"  {CHECKS[verdict.check].advice}" for verdict in self.failed)
            raise CertificationError(f"{self}\n{said}".rstrip())

    def __str__(self) -> str:
        return "\n".join(line(verdict) for verdict in self.verdicts)


def line(verdict: Verdict) -> str:
    """Return a verdict on a line: the answer, the check, why, and the entries that show it."""
    answer = verdict.verdict.replace("_", " ").upper()
    where = f"{verdict.storm} {numbers(verdict.entries)}" if verdict.entries else verdict.storm
    return f"{answer:11}  {verdict.check:{_NAME}}  {verdict.detail:64}  {where}".rstrip()


def as_json(report: Report) -> dict[str, Any]:
    """Return a report as JSON values."""
    verdicts = [
        {
            **asdict(verdict),
            "entries": list(verdict.entries[:MAX_LISTED]),
            "more_entries": max(0, len(verdict.entries) - MAX_LISTED),
            "rule": CHECKS[verdict.check].rule,
        }
        for verdict in report.verdicts
    ]
    return {
        "command": report.command,
        "seed": report.seed,
        "verdicts": verdicts,
        "storms": [_run(run) for run in report.runs],
        "summary": report.summary,
    }


def _run(run: Run) -> dict[str, Any]:
    repeated = [attempts for attempts in run.attempts if len(attempts.entries) > 1]
    return {
        "storm": run.storm.name,
        "exit_code": run.outcome.exit_code,
        "stopped": run.stopped,
        "seconds": round(run.outcome.seconds, 3),
        "requests": len(run.entries),
        "payloads": len(run.attempts),
        "stored": run.stored,
        "attempts": [attempts.line for attempts in repeated[:MAX_LISTED]],
        "more_attempts": max(0, len(repeated) - MAX_LISTED),
    }


def as_junit(report: Report) -> str:
    """Return a report as JUnit XML: a test case a check. A check that was not reached is skipped."""
    counts = report.summary
    figures = {"tests": str(len(report.verdicts)), "failures": str(counts["fail"]), "errors": "0"}
    figures["skipped"] = str(counts["not_reached"])
    seconds = f"{sum(run.outcome.seconds for run in report.runs):.3f}"
    root = ET.Element("testsuites", {"name": "patchworks-sandbox certify", **figures, "time": seconds})
    suite = ET.SubElement(root, "testsuite", {"name": "certify", **figures, "time": seconds})
    for verdict in report.verdicts:
        case = ET.SubElement(suite, "testcase", {"classname": "certify", "name": verdict.check, "time": "0"})
        evidence = _xml(f"{verdict.detail} ({verdict.storm or 'no storm'} {numbers(verdict.entries)})")
        match verdict.verdict:
            case "fail":
                failure = ET.SubElement(case, "failure", {"message": _xml(verdict.detail), "type": verdict.check})
                check = CHECKS[verdict.check]
                failure.text = _xml(f"{evidence}\nRule: {check.rule}\nTo do: {check.advice}")
            case "not_reached":
                ET.SubElement(case, "skipped", {"message": _xml(verdict.detail)})
            case _:
                ET.SubElement(case, "system-out").text = evidence
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _xml(text: str) -> str:
    """Return a text without the characters that XML 1.0 does not know."""
    return "".join(char if char.isprintable() or char == "\n" else "\N{REPLACEMENT CHARACTER}" for char in text)


def as_sarif(report: Report, file: str | None = None) -> dict[str, Any]:
    """Return a report as SARIF 2.1.0; ``file`` is the path that the results are shown at, such as the client's source.

    Passes and checks that were not reached are results too, of the kinds ``pass`` and ``notApplicable``.
    """
    rules = [
        {
            "id": check.name,
            "shortDescription": {"text": check.name.replace("_", " ")},
            "fullDescription": {"text": check.rule},
            "help": {"text": check.advice},
            **_with("helpUri", help_url(check.name)),
        }
        for check in CHECKS.values()
    ]
    results = []
    for verdict in report.verdicts:
        kind, level = _SARIF[verdict.verdict]
        evidence = f" ({verdict.storm} {numbers(verdict.entries)})" if verdict.entries else ""
        location = {
            "artifactLocation": {"uri": quote(PurePath(file or "COMMAND").as_posix())},
            "region": {"startLine": 1},
        }
        results.append(
            {
                "ruleId": verdict.check,
                "ruleIndex": list(CHECKS).index(verdict.check),
                "kind": kind,
                "level": level,
                "message": {"text": f"{verdict.detail}{evidence}"},
                "locations": [{"physicalLocation": location}],
                "partialFingerprints": {"check/v1": verdict.check},
            }
        )
    driver = {"name": "patchworks-sandbox", "version": __version__, "rules": rules}
    driver |= _with("informationUri", project_url("Documentation"))
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "results": results}],
    }


def _with(key: str, url: str | None) -> dict[str, str]:
    return {key: url} if url else {}


def help_url(check: str) -> str | None:
    """Return the address of a check in the documentation; ``None`` where the documentation has no address."""
    documentation = project_url("Documentation")
    return f"{documentation.rstrip('/')}/certify.html#{check}" if documentation else None


_SARIF: Final[dict[Answer, tuple[str, str]]] = {
    "pass": ("pass", "none"),
    "fail": ("fail", "error"),
    "info": ("informational", "none"),
    "not_reached": ("notApplicable", "none"),
}


def file_of(argv: Sequence[str]) -> str | None:
    """Return the first argument of a command that is a relative path of a file: the client's source, most often."""
    from pathlib import Path

    return next((arg for arg in argv if not PurePath(arg).is_absolute() and Path(arg).is_file()), None)

"""The example clients go through every storm, and the recorded reports of the documentation are still true."""

from __future__ import annotations

import pytest

from docs._site.certify_page import CLIENTS, RECORDED, record


def verdicts(report: str) -> list[tuple[str, str]]:
    """Return the answer and the check of each line."""
    return [(line[:11].strip(), line[13:].split()[0]) for line in report.splitlines()[1:]]


@pytest.mark.parametrize("client", CLIENTS)
def test_recorded_report_has_the_verdicts_of_a_run(client: str) -> None:
    recorded = (RECORDED / f"{client}.txt").read_text(encoding="utf-8")

    assert verdicts(record(client)) == verdicts(recorded)


def test_good_client_fails_nothing_and_the_naive_one_most() -> None:
    reports = {client: verdicts((RECORDED / f"{client}.txt").read_text(encoding="utf-8")) for client in CLIENTS}
    answers = {client: [answer for answer, _ in report] for client, report in reports.items()}

    assert "FAIL" not in answers["good"]
    assert answers["good"].count("PASS") >= 15
    assert answers["naive"].count("FAIL") >= 7

"""The checks: each is one property of a client, with its rule and what to do, judged by the runs of some storms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from sandbox.testing.certify import judges
from sandbox.testing.certify.judges import Finding
from sandbox.testing.certify.run import STUCK, Run, Verdict

MAX_ENTRIES: Final = 100
"""Entries that a verdict names: the first ones and the last."""


@dataclass(frozen=True, slots=True)
class Check:
    """A property of a client: ``rule`` says when it holds, ``advice`` how to get there."""

    judge: Callable[[Run], Finding | None]
    rule: str
    advice: str
    why_not: str = "the client did nothing that shows it"
    """Why it was not reached, where the client met the storm."""
    called: str = ""
    """Its name, where a judge has several checks."""

    @property
    def name(self) -> str:
        """The id in reports, which is stable."""
        return self.called or self.judge.__name__


def judged(check: Check, runs: Iterable[Run]) -> Verdict:
    """Return the verdict of a check on the runs whose storms name it: a failure first, then what is worth to know."""
    found: list[Verdict] = []
    for run in runs:
        if check.name in run.storm.judges and run.struck and (finding := check.judge(run)) is not None:
            answer, detail, entries = finding
            ids = [entry.id for entry in entries]
            shown = ids if len(ids) <= MAX_ENTRIES else [*ids[: MAX_ENTRIES - 1], ids[-1]]
            found.append(Verdict(check.name, answer, detail, tuple(shown), run.storm.name))
    if found:
        return min(found, key=lambda verdict: ("fail", "info", "pass", "not_reached").index(verdict.verdict))
    return Verdict(check.name, "not_reached", _why_not_reached(check, list(runs)))


def _why_not_reached(check: Check, runs: Sequence[Run]) -> str:
    meant = [run for run in runs if check.name in run.storm.judges]
    if all(run.outcome.output == STUCK for run in meant):
        return STUCK
    if not any(run.entries for run in meant):
        return "the client sent nothing in this storm"
    if not any(run.struck for run in meant):
        return "the client did nothing that the storm could strike"
    return check.why_not


_CHECKS: Final = (
    Check(
        judges.caches_token,
        "A client asks for one token and uses it for every payload; more than one token request for two payloads "
        "fails.",
        "Keep the token until shortly before expires_in is over. Share it between payloads and workers.",
        "the client pushed fewer than 2 payloads",
    ),
    Check(
        judges.renews_on_401,
        "After a 401 a client asks for one new token, no more than one for each 401, and the payload arrives.",
        "Treat a 401 as the end of the token, also before its time. Get a new one and send the payload again, once.",
    ),
    Check(
        judges.renews_before_expiry,
        "A client gets a new token before expires_in is over; to wait for the 401 works as well and costs a request.",
        "Note the time when you ask for the token, and add expires_in. Renew a minute before that.",
        "the client was done before its token expired",
    ),
    Check(
        judges.stops_when_revoked,
        f"A client whose credentials are refused sends at most {judges.MAX_AFTER_REVOCATION} more requests, two for "
        "each further payload that was under way, and ends.",
        "Stop at an invalid_client of the token endpoint: no retry helps. Report it to a person.",
    ),
    Check(
        judges.honours_retry_after,
        f"After an answer with Retry-After a client comes back no earlier than {judges.EARLY:.0%} of that time and at "
        f"most {judges.LATEST_S:g} s late.",
        "Read Retry-After of 429 and 503, in seconds or as a date. Wait that long before the next attempt.",
    ),
    Check(
        judges.backs_off,
        "The waits of a client between attempts grow: the median of the second half is at least "
        f"{judges.GROWTH:g} times the first. Waits below {judges.AT_ONCE_S:g} s count as that.",
        "Double the wait after each failure, up to a bound. Start at half a second or more.",
        "no payload was tried more than twice",
    ),
    Check(
        judges.spreads_retries,
        f"The waits of several payloads differ by at least {judges.SPREAD:.0%}: workers do not come back together.",
        "Add a random part to each wait. A half of it is enough.",
        "fewer than 3 payloads were tried again",
    ),
    Check(
        judges.one_token_for_parallel,
        "Workers that start together wait for one token request; two at the same time fail.",
        "Guard the token by a lock. The first worker fetches it, and the others wait for it.",
        "the client sent one request at a time",
    ),
    Check(
        judges.has_timeout,
        "A client hangs up a request that gets no answer, before the time-out of the storm.",
        "Give every request a time-out; most HTTP libraries have none unless you ask. 10 to 30 seconds are usual.",
    ),
    Check(
        judges.gives_up,
        "A client ends a request whose answer never ends, and stops trying a payload that always fails, before "
        f"the time-out of the storm or after {judges.MAX_ATTEMPTS} attempts.",
        "Bound the whole request by a deadline, not only each read. Bound the attempts of a payload, then report it.",
    ),
    Check(
        judges.survives,
        "A payload whose connection is reset arrives in the end.",
        "Treat a broken connection like a 503. Wait, and send the payload again.",
        called="survives_reset",
    ),
    Check(
        judges.survives,
        "A token response or an answer that is cut off is asked for again, and every payload arrives.",
        "Treat an answer that ends early as none. Your HTTP library reports it as an error when you read the body.",
        called="survives_truncated_answer",
    ),
    Check(
        judges.survives,
        "An HTML page with status 502 is tried again, and every payload arrives.",
        "Look at the status before you parse the body. Expect a body that is not JSON.",
        called="survives_html",
    ),
    Check(
        judges.survives,
        "A token response without expires_in, or with it as text, is used, and every payload arrives.",
        "Read expires_in with a default and as a number or text. A token without it is good until a 401.",
        called="reads_expires_in",
    ),
    Check(
        judges.no_retry_on_422,
        "A payload that is refused with 422 is not sent again as it is.",
        "Put a refused payload aside and report its errors. Continue with the next one.",
    ),
    Check(
        judges.no_duplicates,
        "A payload is stored once. Twice after a lost answer cannot be avoided; twice without one fails.",
        "Send a payload again only when you have no answer, or one that says it was not stored. Give each payload a "
        "key by which its reader recognises it.",
    ),
    Check(
        judges.keeps_order,
        "Payloads are stored in the order in which they were first sent; one that had to be sent again may be "
        "overtaken.",
        "Finish one payload before the next where the order matters. Or put a version into the payload.",
        "the client pushed fewer than 2 payloads",
    ),
    Check(
        judges.keeps_contract,
        "Every request is as the published contract says.",
        "Correct what the violations name. The platform may refuse such requests tomorrow.",
    ),
    Check(
        judges.no_secret_in_url,
        "No path and no query holds a secret or a token.",
        "Send credentials in the body or in the Authorization header. URLs end up in logs.",
    ),
    Check(
        judges.nothing_lost,
        "When the command ends with exit 0, every payload is stored that it pushed when nothing failed.",
        "End with another exit code when a payload was not accepted. Keep it for the next run.",
        "no run ended with exit 0",
    ),
)

CHECKS: Final[Mapping[str, Check]] = MappingProxyType({check.name: check for check in _CHECKS})
"""Every check by its id, in the order of the reports. The ids are stable."""

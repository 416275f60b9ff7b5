"""The judgements behind the checks: each looks at the entries of one run.

A judgement compares counts, orders and ratios, with the tolerances below, so a slow machine does not change that of a
good client. ``None`` means that the run says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from sandbox.journal.attempts import Attempts, ended_at, gap_s
from sandbox.journal.endpoint_kind import CALLBACK, WEBHOOK
from sandbox.journal.entry import Entry
from sandbox.testing.certify.run import Answer, Run, overlap

Finding = tuple[Answer, str, Sequence[Entry]]
"""The answer, why, and the entries that show it."""

MAX_AFTER_REVOCATION: Final = 5
"""Requests that a client may still send after its credentials were refused; two more for each further worker."""

MAX_ATTEMPTS: Final = 10
"""Attempts of one payload after which a client has not given up."""

EARLY: Final = 0.95
LATEST_S: Final = 30.0
GROWTH: Final = 1.3
"""The later waits of a client that backs off, by their median, are longer than the first by this factor."""

AT_ONCE_S: Final = 0.1
"""Shorter waits count as no wait."""

SPREAD: Final = 0.02
SPREAD_S: Final = 0.01
"""Waits that differ by less than this part of their mean, or by less than these seconds, count as the same."""

PATIENCE_S: Final = 2.0
"""Seconds for which a client must wait for an answer that comes late, or in pieces; sent again before, it is twice."""

RATIO: Final = 2
_SIGNED: Final = (WEBHOOK.name, CALLBACK.name)
"""The kinds of requests whose URL holds a signature."""

_FINGERPRINT: Final = re.compile(r"sha256:[0-9a-f]{12}")
"""The text in the journal in place of a secret."""


def count(number: int, noun: str) -> str:
    """Return a number and a noun in its number."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


# --- tokens -----------------------------------------------------------------------------------------------------------


def caches_token(run: Run) -> Finding | None:
    """Judge whether the client uses one token for all payloads."""
    tokens, payloads = len(run.tokens), len(run.payloads)
    if payloads < RATIO or not tokens:
        return None
    detail = f"{count(tokens, 'token request')} for {payloads} payloads"
    if tokens == 1:
        return "pass", detail, run.entries
    return "fail" if tokens * RATIO > payloads else "info", detail, run.tokens


def renews_on_401(run: Run) -> Finding | None:
    """Judge whether one new token follows a 401, and the payload arrives."""
    refused = next((entry for entry in run.payloads if entry.fault is not None), None)
    if refused is None:
        return None
    refusals = [entry for entry in run.payloads if entry.status == 401]
    stored = next((entry for entry in run.attempts_of(refused).entries if entry.accepted), None)
    last = run.entries[-1] if stored is None else stored
    renewals = [entry for entry in run.tokens if refused.seq < entry.seq < last.seq]
    shown = [refused, *renewals, *([stored] if stored else [])]
    if stored is None:
        return "fail", f"the payload of #{refused.seq} got 401 and never arrived", shown
    if len(renewals) > len(refusals):
        return "fail", f"{len(renewals)} token requests after {count(len(refusals), 'answer')} with 401", shown
    return "pass", f"{count(len(renewals), 'token request')} after the 401, and the payload arrived", shown


def renews_before_expiry(run: Run) -> Finding | None:
    """Judge whether the client renews its token before that expires."""
    late = [entry for entry in run.payloads if (entry.reason or "").startswith("token_expired")]
    if late:
        return "info", f"{count(len(late), 'payload')} came with a token that had expired", late
    issued = [entry.token for entry in run.tokens if entry.token is not None]
    if len(issued) < RATIO or run.payloads[-1].received_at < issued[0].expires_at:
        return None
    return "pass", f"{len(issued)} tokens in turn, none used after its expires_in", [*run.tokens, run.payloads[-1]]


def stops_when_revoked(run: Run) -> Finding | None:
    """Judge whether the client ends after its credentials were refused."""
    refused = [entry for entry in run.tokens if entry.fault] or [entry for entry in run.payloads if entry.fault]
    if not refused:
        return None
    first = refused[0]
    after = [entry for entry in run.entries if entry.seq > first.seq and entry.wall_time >= ended_at(first)]
    under_way = sum(entry.seq < first.seq for entry in run.payloads)
    if len(after) <= MAX_AFTER_REVOCATION + RATIO * max(0, under_way - 1) and not run.stopped:
        return "pass", f"{count(len(after), 'request')} after the credentials were refused", [first, *after]
    seconds = after[-1].wall_time - first.wall_time if after else run.outcome.seconds
    return "fail", f"{count(len(after), 'request')} in {seconds:.1f} s after the credentials were revoked", after


def one_token_for_parallel(run: Run) -> Finding | None:
    """Judge whether workers share one token request."""
    stampede = overlap(run.tokens)
    if stampede:
        return "fail", f"{len(stampede)} token requests at the same time", stampede
    parallel = overlap(run.payloads)
    if not parallel:
        return None
    detail = f"{count(len(run.tokens), 'token request')} for payloads that were sent in parallel"
    return "pass", detail, [*run.tokens, *parallel]


# --- waiting and retrying ---------------------------------------------------------------------------------------------


def honours_retry_after(run: Run) -> Finding | None:
    """Judge whether the client waits as long as it was asked to."""
    refused = run.faulted[0]
    values = [value for name, value in refused.response_headers if name.lower() == "retry-after" and value.isdecimal()]
    if not values or refused not in run.payloads:
        return None
    seconds = float(values[0])
    chain = run.attempts_of(refused).entries
    again = next((entry for entry in chain if entry.seq > refused.seq), None)
    if again is None:
        given_up = run.outcome.exit_code not in (0, None)
        detail = "the client did not come back" + (", and its exit code reports it" if given_up else "")
        return "info" if given_up else "fail", detail, [refused]
    gap = gap_s(refused, again)
    detail = f"came back {gap:.1f} s after an answer with Retry-After: {seconds:g}"
    return "pass" if EARLY * seconds <= gap <= max(LATEST_S, seconds * GROWTH) else "fail", detail, [refused, again]


def _waits(attempts: Attempts) -> list[float]:
    """Return the waits of a payload after each failed attempt, and no shorter than what counts as one."""
    return [max(AT_ONCE_S, gap_s(before, after)) for before, after in pairwise(attempts.entries) if not before.accepted]


def backs_off(run: Run) -> Finding | None:
    """Judge whether the waits between the attempts of a payload grow."""
    chains = [attempts for attempts in run.attempts if len(_waits(attempts)) >= RATIO]
    if not chains:
        return None
    for attempts in chains:
        waits = _waits(attempts)
        later = sorted(waits[len(waits) // 2 :])
        if later[len(later) // 2] < GROWTH * waits[0]:
            shown = ", ".join(f"{gap:.1f}" for gap in attempts.gaps_s[:5])
            return "fail", f"waits of {shown} s do not grow", attempts.entries
    longest = max(chains, key=lambda attempts: len(attempts.entries))
    shown = ", ".join(f"{gap:.1f}" for gap in longest.gaps_s[:5])
    return "pass", f"waits of {shown} s", longest.entries


def spreads_retries(run: Run) -> Finding | None:
    """Judge whether the waits of several payloads differ."""
    retried = [attempts for attempts in run.attempts if attempts.entries[0].fault and len(attempts.entries) > 1]
    if len(retried) <= RATIO:
        return None
    waits = [attempts.gaps_s[0] for attempts in retried]
    shown = [entry for attempts in retried for entry in attempts.entries[:2]]
    mean, spread = sum(waits) / len(waits), max(waits) - min(waits)
    if mean < AT_ONCE_S:
        return "fail", f"{len(retried)} retries at once, {mean:.2f} s after the failure", shown
    if spread >= max(SPREAD * mean, SPREAD_S):
        return "pass", f"{len(retried)} waits between {min(waits):.1f} and {max(waits):.1f} s", shown
    herd = any(
        ended_at(first.entries[0]) <= ended_at(second.entries[0]) < first.entries[1].wall_time
        for first, second in pairwise(retried)
    )
    detail = f"{len(retried)} waits of {mean:.1f} s each"
    return ("fail", f"{detail}, side by side", shown) if herd else ("info", f"{detail}, one after the other", shown)


def has_timeout(run: Run) -> Finding | None:
    """Judge whether the client hangs up a request that gets no answer."""
    held = next((entry for entry in run.payloads if entry.fault is not None), None)
    if held is None:
        return None
    if _waited_to_the_end(run, held):
        return "fail", f"the client still waited when it was stopped after {run.outcome.seconds:.0f} s", [held]
    seconds = (held.answered_ms if held.closed_after_ms is not None else 0.0) / 1000
    return "pass", f"the client hung up after {seconds:.1f} s", [held]


def _waited_to_the_end(run: Run, entry: Entry) -> bool:
    return run.outcome.stopped_at is not None and (
        entry.closed_after_ms is None or ended_at(entry) >= run.outcome.stopped_at
    )


def gives_up(run: Run) -> Finding | None:
    """Judge whether the client ends an endless answer, or an endless series of attempts."""
    held = [entry for entry in run.faulted if entry.delay_ms or entry.fault_kind == "hang"]
    for entry in held:
        if _waited_to_the_end(run, entry):
            return "fail", f"the client still waited when it was stopped after {run.outcome.seconds:.0f} s", [entry]
    if held:
        return "pass", f"the client gave up after {held[0].answered_ms / 1000:.1f} s", held[:1]
    longest = max(run.attempts, key=lambda attempts: len(attempts.entries), default=None)
    if longest is None:
        return None
    tried = len(longest.entries)
    if run.stopped and (tried > MAX_ATTEMPTS or len(run.attempts) == 1):
        detail = f"{count(tried, 'attempt')} of one payload until the client was stopped"
        return "fail", f"{detail} after {run.outcome.seconds:.0f} s", longest.entries
    return "pass", f"at most {count(tried, 'attempt')} of a payload", longest.entries


def no_retry_on_422(run: Run) -> Finding | None:
    """Judge whether the client leaves a refused payload alone."""
    refused = [entry for entry in run.faulted if entry.status == 422]
    again = [after for before in refused for after in run.attempts_of(before).entries if after.seq > before.seq]
    if again:
        return "fail", f"a refused payload was sent again, {count(len(again), 'time')}", [*refused, *again]
    return "pass", "a refused payload was not sent again", refused


# --- surviving --------------------------------------------------------------------------------------------------------


def survives(run: Run) -> Finding | None:
    """Judge whether every payload arrives in spite of the storm."""
    if not run.expected:
        return None
    if run.stopped:
        return "fail", f"the client did not end within {run.outcome.seconds:.0f} s", run.faulted
    if run.missing:
        detail = f"{run.missing} of {count(run.stored + run.missing, 'payload')} never arrived"
        return "fail", f"{detail} (exit {run.outcome.exit_code})", run.faulted
    return "pass", f"{count(run.stored, 'payload')} arrived all the same", run.faulted


# --- payloads ---------------------------------------------------------------------------------------------------------


def _lost_answer(entry: Entry) -> bool:
    """Return whether the client could not have the whole answer as the platform meant it, and in time."""
    if entry.fault_kind in ("latency", "slow_body", "relayed"):  # the answer is whole
        return entry.delay_ms > PATIENCE_S * 1000
    return entry.fault is not None


def no_duplicates(run: Run) -> Finding | None:
    """Judge whether each payload is stored once."""
    if not run.stored:
        return None
    needed: list[Attempts] = []
    for attempts in run.attempts:
        stored = [entry for entry in attempts.entries if entry.accepted]
        if len(stored) <= run.usual_copies(attempts):
            continue
        if not all(map(_lost_answer, stored[:-1])):
            if run.calm is None:
                return "info", f"the same payload was stored {len(stored)} times, and nothing had failed", stored
            return "fail", f"a payload was stored {len(stored)} times, and no answer was lost", stored
        needed.append(attempts)
    if needed:
        times = sum(attempts.stored - 1 for attempts in needed)
        detail = f"{count(times, 'payload')} stored twice after a lost answer: its reader must recognise it"
        return "info", detail, [entry for attempts in needed for entry in attempts.entries]
    return "pass", f"{count(run.stored, 'payload')} stored once each", run.payloads


def keeps_order(run: Run) -> Finding | None:
    """Judge whether payloads arrive in the order in which they were first sent."""
    order = [attempts for attempts in run.attempts if attempts.stored]
    if len(order) < RATIO:
        return None
    stored = [next(entry for entry in attempts.entries if entry.accepted) for attempts in order]
    overtaken = [later for earlier, later in pairwise(stored) if later.seq < earlier.seq]
    if overtaken:
        return "info", f"{count(len(overtaken), 'payload')} overtook one that had to be sent again", overtaken
    return "pass", f"{len(stored)} payloads arrived in the order in which they were first sent", stored


def keeps_contract(run: Run) -> Finding | None:
    """Judge whether every request is as the contract says."""
    if not run.violations:
        return "pass", f"{count(len(run.entries), 'request')} as the contract says", run.entries
    ids = dict.fromkeys(violation.request for violation in run.violations)
    codes = ", ".join(dict.fromkeys(violation.code for violation in run.violations))
    return (
        "fail",
        f"{count(len(ids), 'request')} not as the contract says: {codes}",
        [entry for entry in run.entries if entry.id in ids],
    )


def no_secret_in_url(run: Run) -> Finding | None:
    """Judge whether no URL holds a secret."""
    found = [
        entry
        for entry in run.entries
        if _FINGERPRINT.search(f"{entry.path}?{entry.query}") and entry.kind not in _SIGNED
    ]
    if found:
        return "fail", f"{count(len(found), 'URL')} with a secret, which ends up in logs", found
    return "pass", f"no secret in {count(len(run.entries), 'URL')}", run.entries


def nothing_lost(run: Run) -> Finding | None:
    """Judge whether every payload is stored that exit 0 promises."""
    if run.outcome.exit_code != 0:
        return None
    if run.missing:
        lost = [attempts.entries[-1] for attempts in run.attempts if not attempts.stored]
        total = count(run.stored + run.missing, "payload")
        return "fail", f"exit 0, but {run.missing} of {total} are not stored", lost or run.entries
    return "pass", f"exit 0, and {count(run.stored, 'payload')} stored", run.payloads

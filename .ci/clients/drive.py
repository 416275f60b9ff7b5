"""Use the Python clients that openapi-python-client made of both specs, against a running sandbox.

Usage: drive.py READY_FILE, with ``inbound_client`` and ``control_client`` importable.
"""

from __future__ import annotations

import base64
import importlib
import json
import pkgutil
import sys
from pathlib import Path

import control_client
import inbound_client
from control_client import Client as ControlClient
from control_client.api.clock import advance_clock
from control_client.api.connectors import list_connectors
from control_client.api.contract import list_contract_violations
from control_client.api.faults import add_fault
from control_client.api.oauth_clients import create_client
from control_client.api.requests import list_requests
from control_client.api.state import get_state, put_state
from control_client.api.verification import verify_requests
from control_client.models import (
    Advance,
    Clock,
    CreatedOAuthClient,
    FaultRule,
    FaultRuleState,
    NewOAuthClient,
    NonconformingPage,
    RequestPage,
    State,
    StateLoaded,
    Verification,
    Verified,
)
from inbound_client import AuthenticatedClient
from inbound_client.api.inbound import store_payload
from inbound_client.api.token import post_access_token
from inbound_client.models import Message, PostAccessTokenJsonBody, Token

JSON_ONLY = {"Accept": "application/json"}


def import_everything() -> None:
    """Import every module: a generator's mistakes come to light only then."""
    for package in (control_client, inbound_client):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)


def main() -> None:
    """Create an OAuth client, get a token with it, post an order, find it in the journal."""
    import_everything()
    base_url: str = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["base_url"]
    control = ControlClient(base_url=base_url, raise_on_unexpected_status=True)

    connectors = list_connectors.sync(client=control)
    assert isinstance(connectors, list), connectors
    new = create_client.sync(connectors[0].id, client=control, body=NewOAuthClient(name="Generated client"))
    assert isinstance(new, CreatedOAuthClient), new

    basic = base64.b64encode(f"{new.client_id}:{new.client_secret}".encode()).decode()
    credentials = AuthenticatedClient(base_url=base_url, token=basic, prefix="Basic", headers=JSON_ONLY)
    token = post_access_token.sync(client=credentials, body=PostAccessTokenJsonBody("client_credentials"))
    assert isinstance(token, Token), token

    client = AuthenticatedClient(base_url=base_url, token=token.access_token, headers=JSON_ONLY)
    answer = store_payload.sync("acme", "anything", client=client, body={"order": "python"})
    assert isinstance(answer, Message), answer

    page = list_requests.sync(client=control, client_id=new.client_id)
    assert isinstance(page, RequestPage), page
    assert [(entry.kind, entry.status) for entry in page.entries] == [("token", 200), ("inbound", 200)], page
    nonconforming = list_contract_violations.sync(client=control, client_id=new.client_id)
    assert isinstance(nonconforming, NonconformingPage), nonconforming
    assert nonconforming.requests == [], nonconforming
    expected = {"filter": {"kind": "inbound"}, "pattern": {"json": {"order": "python"}}, "times": 1}
    verified = verify_requests.sync(client=control, body=Verification.from_dict(expected))
    assert isinstance(verified, Verified), verified
    rule = FaultRule.from_dict({"fault": {"kind": "status", "code": 503}, "match": {"endpoint": "inbound"}})
    added = add_fault.sync(client=control, body=rule)
    assert isinstance(added, FaultRuleState), added
    moved = advance_clock.sync(client=control, body=Advance.from_dict({"duration": "24h"}))
    assert isinstance(moved, Clock), moved
    state = get_state.sync(client=control)
    assert isinstance(state, State), state
    loaded = put_state.sync(client=control, body=state)
    assert isinstance(loaded, StateLoaded), loaded
    print("python:", answer.message)


if __name__ == "__main__":
    main()

"""Push orders as a first version often does. Each line works as long as nothing fails: do not copy it."""

import json
import os
import sys
from pathlib import Path

import requests

path = os.environ.get("PATCHWORKS_PAYLOADS") or Path(__file__).with_name("orders.ndjson")

for line in Path(path).read_text(encoding="utf-8").splitlines():
    order = json.loads(line)
    while True:
        try:
            response = requests.get(
                os.environ["PATCHWORKS_TOKEN_URL"],
                params={
                    "grant_type": "client_credentials",
                    "client_id": os.environ["PATCHWORKS_CLIENT_ID"],
                    "client_secret": os.environ["PATCHWORKS_CLIENT_SECRET"],
                },
                timeout=None,
            )
            response.raise_for_status()
            token = response.json()
            token["expires_in"] + 0
            answer = requests.post(
                os.environ["PATCHWORKS_INBOUND_URL"],
                json=order,
                headers={"Authorization": f"Bearer {token['access_token']}"},
                timeout=None,
            )
            answer.raise_for_status()
            break
        except requests.HTTPError:
            continue  # until it works
        except (requests.RequestException, LookupError, TypeError, ValueError) as error:
            print(f"order {order['number']}: {error}")
            break

sys.exit(0)

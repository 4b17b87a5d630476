"""Runs scim2-tester against the usher whose ready file is the argument.

Prints every result that is not a success, and ends with 1 when one of them is
an error, critical or a deviation that ACCEPTED does not hold.
"""

import collections
import json
import sys
import time

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Mutability
from scim2_tester import Status, check_server

GOOD = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}
BAD = {Status.ERROR, Status.CRITICAL, Status.DEVIATION}
FEWEST = 100  # results below which the suite cannot have looked at everything
PATIENCE = 20  # times that one request is sent again after 429


class PatientClient(SyncSCIMClient):
    """Waits when it is told to, like any client of a server with limits."""

    def request(self, method, url, **kwargs):
        for _ in range(PATIENCE):
            response = super().request(method, url, **kwargs)
            if response.status_code != 429:
                return response
            time.sleep(int(response.headers["Retry-After"]))
        return response


def without_read_only(value):
    """The value as a client could have sent it."""
    if isinstance(value, list):
        return [without_read_only(v) for v in value]
    model = type(value)
    return {
        name: getattr(value, name)
        for name in model.model_fields
        if model.get_field_annotation(name, Mutability) != Mutability.read_only
    }


def only_display_filled_in(result):
    """Members differ from what was sent only in what usher alone writes."""
    data = result.data if isinstance(result.data, dict) else {}
    if result.resource_type != "Group" or data.get("urn") != "members":
        return False
    actual = data.get("modify_actual") or data.get("actual")
    if not data.get("expected") or not actual:
        return False
    return without_read_only(data["expected"]) == without_read_only(actual)


# What is accepted: its name, how it is told, and why. An entry that matches
# nothing any more fails the run too, so that the list stays as short as it is.
ACCEPTED = [
    (
        "members.display",
        only_display_filled_in,
        "display is published as readOnly, so a client cannot send it and the "
        "server may fill it in (RFC 7643 §7, example in §8.4); the suite "
        "compares it with the absence in its own request",
    ),
]


def show(word, result):
    about = f"{result.title} ({result.resource_type})" if result.resource_type else result.title
    print(f"{word}: {about}: {result.reason}")


def main(ready_file):
    with open(ready_file, encoding="utf-8") as f:
        ready = json.load(f)
    headers = {"Authorization": "Bearer " + ready["scim_token"]}
    with Client(base_url=ready["scim_url"], headers=headers, timeout=30) as http:
        results = check_server(PatientClient(http))
    failed, used = 0, set()
    for result in results:
        if result.status in GOOD:
            continue
        name, why = next(((n, w) for n, told, w in ACCEPTED if told(result)), (None, None))
        if result.status in BAD and name is None:
            failed += 1
            show(result.status.name, result)
            if result.data is not None:
                print("  " + str(result.data)[:2000])
        elif result.status in BAD:
            if name not in used:
                show(f"accepted {result.status.name}", result)
                print(f"  because {why}")
            used.add(name)
        else:
            show(result.status.name.lower(), result)
    for name, _, _ in ACCEPTED:
        if name not in used:
            failed += 1
            print(f"ERROR: {name} is accepted and does not occur; take it off the list")
    counts = collections.Counter(r.status.name for r in results)
    print(", ".join(f"{n} {status}" for status, n in sorted(counts.items())))
    if len(results) < FEWEST:
        failed += 1
        print(f"ERROR: only {len(results)} results; the suite has not seen the whole server")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

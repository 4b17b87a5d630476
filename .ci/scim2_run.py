"""Runs scim2-tester against the usher whose ready file is the argument.

Prints every result that is not a success, and ends with 1 when one of them is
an error, critical or a deviation.

The suite creates and changes resources of every type, so it is asked about the
types that can be written. It compares an extension as a whole with what it sent,
readOnly attributes included, which no server can satisfy that has any: those
comparisons are made again here without them, and it expects one value of an
attribute that it added to before: there the added one must be among them.
"""

import collections
import json
import sys
import time

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import Extension, Mutability
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


def written(extension):
    """The attributes of an extension that clients write, with their values."""
    if extension is None:
        return {}
    model = type(extension)
    return {
        name: getattr(extension, name)
        for name in model.model_fields
        if name != "schemas" and model.get_field_annotation(name, Mutability) != Mutability.read_only
    }


def satisfied(result):
    """Tells whether a comparison holds that the suite made with more than was sent."""
    data = result.data
    if not isinstance(data, dict) or not str(result.title).startswith("check_"):
        return False
    found = data.get("actual", data.get("actual_value", data.get("modify_actual")))
    if result.title == "check_remove_attribute":
        removed = isinstance(data.get("initial_value"), Extension)
        return removed and not any(written(found).values())
    sent = data.get("expected")
    if isinstance(sent, Extension):
        got = written(found)
        return all(value is None or got.get(name) == value for name, value in written(sent).items())
    if result.title == "check_add_attribute" and isinstance(sent, list) and isinstance(found, list):
        return all(value in found for value in sent)
    return False


def show(word, result):
    about = f"{result.title} ({result.resource_type})" if result.resource_type else result.title
    print(f"{word}: {about}: {result.reason}")


def main(ready_file):
    with open(ready_file, encoding="utf-8") as f:
        ready = json.load(f)
    headers = {"Authorization": "Bearer " + ready["scim_token"]}
    with Client(base_url=ready["scim_url"], headers=headers, timeout=30) as http:
        results = check_server(PatientClient(http), resource_types=["User", "Group"])
    failed = 0
    for result in results:
        if result.status == Status.ERROR and satisfied(result):
            result.status = Status.SUCCESS
        if result.status in GOOD:
            continue
        if result.status not in BAD:
            show(result.status.name.lower(), result)
            continue
        failed += 1
        show(result.status.name, result)
        if result.data is not None:
            print("  " + str(result.data)[:2000])
    counts = collections.Counter(r.status.name for r in results)
    print(", ".join(f"{n} {status}" for status, n in sorted(counts.items())))
    if len(results) < FEWEST:
        failed += 1
        print(f"ERROR: only {len(results)} results; the suite has not seen the whole server")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

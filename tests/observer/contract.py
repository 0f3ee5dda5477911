#!/usr/bin/env python3
"""Holds a running server to its own OpenAPI document, from outside, with Schemathesis.

    contract.py --url https://127.0.0.1:8443 --ca FILE --password TEXT [--examples N] [--seconds S]

Without a credential every closed call must refuse with 401. With one, generated requests must never
meet a 5xx that the document does not name, a status, a media type or a body that it does not describe.
The document lets an answer have further members, for later versions; here none may be undescribed.
Exit codes: 0 passed, 1 a deviation, 2 cannot run.
"""

from __future__ import annotations

import argparse
import json
import ssl
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
METHODS = ("get", "post", "put", "delete", "patch")
# Answered by a change of protocol or a stream without an end; others test them. And what would end
# the login of the run.
APART = ("/ws/", "/admin/stream", "/admin/logout", "/admin/password")


class Server:
    def __init__(self, url: str, ca: str):
        self.url, self.context = url.rstrip("/"), ssl.create_default_context(cafile=ca)

    def call(self, method: str, path: str, body=None, headers=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=20, context=self.context) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.headers, refused.read()


def strict(schema):
    """No member but those that are described."""
    if isinstance(schema, list):
        return [strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    tight = {name: strict(value) for name, value in schema.items()}
    if isinstance(tight.get("properties"), dict) and tight.get("type") == "object":
        tight.setdefault("additionalProperties", False)
    return tight


def operations(document):
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield method, path, item[method]


def closed_without_credential(server: Server, document) -> list[str]:
    deviations = []
    for method, path, operation in operations(document):
        alternatives = operation["security"]
        if not alternatives or {} in alternatives or "/ws/" in path:
            continue
        address = path.replace("{user_id}", "nobody").replace("{id}", "none").replace("{file}", "report.json")
        for headers in ({}, {"Authorization": "Bearer nonsense"}, {"Cookie": "__Host-emflow_admin=nonsense"}):
            body = None if method == "get" else {}
            status, _, text = server.call(method.upper(), address, body, headers)
            if status != 401 or json.loads(text)["code"] != "unauthenticated":
                deviations.append(f"{method} {path} without a credential: {status} {text[:200]!r}")
    return deviations


def token(server: Server, password: str) -> str:
    status, headers, text = server.call("POST", "/api/v1/admin/login", {"password": password})
    assert status == 200, (status, text)
    browser = {"Cookie": headers["Set-Cookie"].split(";")[0], "X-CSRF-Token": json.loads(text)["csrf_token"]}
    wanted = {"name": "contract", "scope": "operate"}
    status, _, text = server.call("POST", "/api/v1/admin/tokens", wanted, browser)
    assert status == 201, (status, text)
    return json.loads(text)["token"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--examples", type=int, default=6, help="generated requests a call (default 6)")
    parser.add_argument("--seconds", type=int, default=45, help="the most that the run may take (default 45)")
    parser.add_argument("--seed", type=int, default=20260101, help="of what is generated")
    args = parser.parse_args()
    try:
        import schemathesis  # noqa: F401
    except ImportError:
        print("the package `schemathesis` is missing: pip install -r tests/observer/requirements.txt")
        return 2
    server = Server(args.url, args.ca)
    document = json.loads(server.call("GET", "/api/v1/openapi.json")[2])
    deviations = closed_without_credential(server, document)
    print(*deviations, sep="\n")

    # Paths with a parameter are visited with ids of nobody, which is answered, too.
    document["components"]["schemas"] = strict(document["components"]["schemas"])
    for _, _, operation in operations(document):
        operation["responses"] = strict(operation["responses"])
        operation["security"] = []
    document["paths"] = {path: item for path, item in document["paths"].items() if not any(part in path for part in APART)}
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/openapi.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        # A method that HTTP does not know is 501 as RFC 9110 wants it; those that it knows must be 405.
        with open(f"{folder}/schemathesis.toml", "w", encoding="utf-8") as settings:
            settings.write('[phases.coverage]\nunexpected-methods = ["PUT", "PATCH", "DELETE", "TRACE"]\n')
        command = [sys.executable, "-m", "schemathesis.cli", "run", file.name, "--url", server.url,
                   "--tls-verify", args.ca, "--header", f"Authorization: Bearer {token(server, args.password)}",
                   "--checks", CHECKS, "--max-examples", str(args.examples), "--max-time", str(args.seconds),
                   "--phases", "examples,coverage,fuzzing", "--seed", str(args.seed), "--no-color",
                   "--generation-database", "none", "--continue-on-failure", "--warnings", "off"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=args.seconds + 120, check=False)
    print(run.stdout[-20000:], run.stderr[-2000:], sep="\n")
    return 1 if deviations or run.returncode != 0 else 0


if __name__ == "__main__":
    sys.exit(main())

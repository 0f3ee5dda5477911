#!/usr/bin/env python3
"""Holds a running server to its own OpenAPI document, from outside, with Schemathesis.

    contract.py --url https://127.0.0.1:8443 --ca FILE --password TEXT [--examples N] [--seconds S]

Without a credential every closed call refuses with 401 and nothing else, whatever is sent: each call by hand
with wrong credentials of each kind, then generated requests. A token that may only read is refused with 403
where something would change, and so is a login's cookie without its token against forged calls.
With a credential, generated requests never meet a 5xx that the document does not name, a status, a media type
or a body that it does not describe. The document lets an answer have further members, for later versions; here
none may be undescribed.
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

# Not among them: that whatever the schema allows is accepted, and the reverse. A schema cannot say that an id must be
# known or a sequence be one that was sent; that there is a 4xx for it, and which, is held by the others.
CHECKS = ("not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
          "response_headers_conformance,unsupported_method,allow_header_conformance")
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


def closed(operation) -> bool:
    return bool(operation["security"]) and {} not in operation["security"]


def address(path: str) -> str:
    """With ids of nobody."""
    for name, value in (("{user_id}", "nobody"), ("{id}", "none"), ("{file}", "report.json"), ("{name}", "none")):
        path = path.replace(name, value)
    return path


class Login:
    """A login of a browser, and tokens made with it."""

    def __init__(self, server: Server, password: str):
        self.server = server
        status, headers, text = server.call("POST", "/api/v1/admin/login", {"password": password})
        assert status == 200, (status, text)
        self.cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        self.csrf = {"X-CSRF-Token": json.loads(text)["csrf_token"]}

    def token(self, scope: str) -> str:
        wanted = {"name": f"contract {scope}", "scope": scope}
        status, _, text = self.server.call("POST", "/api/v1/admin/tokens", wanted, {**self.cookie, **self.csrf})
        assert status == 201, (status, text)
        return json.loads(text)["token"]


def refusals(server: Server, document, login: Login) -> list[str]:
    """What is wrong with the refusals of each closed call, credential by credential."""
    reader = {"Authorization": f"Bearer {login.token('read')}"}
    wrong = [("no credential", {}), ("a wrong token", {"Authorization": "Bearer nonsense"}),
             ("another scheme", {"Authorization": "Basic YWRtaW46YWRtaW4="}), ("a wrong cookie", {"Cookie": "__Host-emflow_admin=nonsense"}),
             ("a wrong cookie of a visitor", {"Cookie": "__Host-emflow_visitor=nonsense"})]
    deviations, asked = [], 0
    for method, path, operation in operations(document):
        if not closed(operation) or "/ws/" in path:
            continue
        cases = [(name, headers, 401, "unauthenticated") for name, headers in wrong]
        if operation.get("x-scope") == "operate":
            cases.append(("a token that may only read", reader, 403, "forbidden"))
            if method != "get":
                cases.append(("a cookie alone", login.cookie, 403, "forbidden"))
        for name, headers, wanted, code in cases:
            asked += 1
            status, _, text = server.call(method.upper(), address(path), None if method == "get" else {}, headers)
            if status != wanted or json.loads(text).get("code") != code:
                deviations.append(f"{method} {path} with {name}: {status}, not {wanted}: {text[:200]!r}")
    print(f"{asked} refusals asked for, {len(deviations)} deviations")
    return deviations


def for_strangers(document):
    """The same document for somebody without a credential: the closed calls alone, and nothing but 401."""
    strangers = json.loads(json.dumps(document))
    strangers["paths"] = {}
    for method, path, operation in operations(document):
        if closed(operation) and "/ws/" not in path:
            refused = {**operation, "security": [], "responses": {"401": operation["responses"]["401"]}}
            strangers["paths"].setdefault(path, {})[method] = refused
    return strangers


def for_the_administrator(document):
    """Tightened; paths with a parameter are visited with ids of nobody, which is answered, too."""
    document["components"]["schemas"] = strict(document["components"]["schemas"])
    for _, _, operation in operations(document):
        operation["responses"] = strict(operation["responses"])
        operation["security"] = []
    document["paths"] = {path: item for path, item in document["paths"].items() if not any(part in path for part in APART)}
    return document


def generated(server: Server, document, args, seconds: int, headers) -> bool:
    """Requests that Schemathesis makes up; true where nothing was found."""
    with tempfile.TemporaryDirectory() as folder:
        with open(f"{folder}/openapi.json", "w", encoding="utf-8") as file:
            json.dump(document, file)
        # A method that HTTP does not know is 501 as RFC 9110 wants it; those that it knows must be 405.
        with open(f"{folder}/schemathesis.toml", "w", encoding="utf-8") as settings:
            settings.write('[phases.coverage]\nunexpected-methods = ["PUT", "PATCH", "DELETE", "TRACE"]\n')
        command = [sys.executable, "-m", "schemathesis.cli", "run", file.name, "--url", server.url,
                   "--tls-verify", args.ca, "--checks", CHECKS, "--max-examples", str(args.examples),
                   "--max-time", str(seconds), "--phases", "examples,coverage,fuzzing", "--seed", str(args.seed),
                   "--no-color", "--generation-database", "none", "--continue-on-failure", "--warnings", "off"]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=seconds + 120, check=False)
    print(run.stdout[-20000:], run.stderr[-2000:], sep="\n")
    return run.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", required=True)
    parser.add_argument("--ca", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--examples", type=int, default=6, help="generated requests a call (default 6)")
    parser.add_argument("--seconds", type=int, default=40, help="the most that the generated requests may take (default 40)")
    parser.add_argument("--seed", type=int, default=20260101, help="of what is generated")
    args = parser.parse_args()
    try:
        import schemathesis  # noqa: F401
    except ImportError:
        print("the package `schemathesis` is missing: pip install -r tests/observer/requirements.txt")
        return 2
    server = Server(args.url, args.ca)
    document = json.loads(server.call("GET", "/api/v1/openapi.json")[2])
    login = Login(server, args.password)
    deviations = refusals(server, document, login)
    print(*deviations, sep="\n")
    quarter = max(1, args.seconds // 4)
    strangers = generated(server, for_strangers(document), args, quarter, {})
    operator = {"Authorization": f"Bearer {login.token('operate')}"}
    administrator = generated(server, for_the_administrator(document), args, args.seconds - quarter, operator)
    return 0 if not deviations and strangers and administrator else 1


if __name__ == "__main__":
    sys.exit(main())

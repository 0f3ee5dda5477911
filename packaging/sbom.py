#!/usr/bin/env python3
"""What the program is made of, from Cargo.lock: a CycloneDX document and the licences in full.

usage: sbom.py TARGET OUT-DIR     writes OUT-DIR/sbom.cdx.json and OUT-DIR/THIRD-PARTY-LICENSES

No serial number and no time of making: two builds of the same source write the same bytes.
"""

import json
import pathlib
import subprocess
import sys


def main() -> None:
    target, out = sys.argv[1], pathlib.Path(sys.argv[2])
    command = ["cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target]
    metadata = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    packages = {package["id"]: package for package in metadata["packages"]}
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    root = metadata["resolve"]["root"]
    edges = {}
    pending = [root]
    while pending:
        this = pending.pop()
        if this in edges:
            continue
        # What only builds or tests the program is not in it.
        edges[this] = sorted(
            dep["pkg"] for dep in nodes[this]["deps"]
            if any(kind["kind"] is None for kind in dep["dep_kinds"])
        )
        pending.extend(edges[this])
    out.mkdir(parents=True, exist_ok=True)
    (out / "sbom.cdx.json").write_text(json.dumps(document(root, packages, edges), indent=1) + "\n")
    (out / "THIRD-PARTY-LICENSES").write_text(licences(root, packages, edges))


def purl(package: dict) -> str:
    return f"pkg:cargo/{package['name']}@{package['version']}"


def document(root: str, packages: dict, edges: dict) -> dict:
    sums = checksums()

    def component(package: dict) -> dict:
        entry = {
            "type": "library", "bom-ref": purl(package), "name": package["name"],
            "version": package["version"], "purl": purl(package),
        }
        if package["license"]:
            entry["licenses"] = [{"expression": package["license"].replace("/", " OR ")}]
        checksum = sums.get((package["name"], package["version"]))
        if checksum:
            entry["hashes"] = [{"alg": "SHA-256", "content": checksum}]
        return entry

    order = sorted((packages[i] for i in edges if i != root), key=purl)
    return {
        "bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
        "metadata": {"component": component(packages[root]) | {"type": "application"}},
        "components": [component(package) for package in order] + [{
            "type": "library", "bom-ref": "pkg:npm/chart.js", "name": "chart.js",
            "description": "vendored in static/vendor, see its README",
            "licenses": [{"license": {"id": "MIT"}}],
        }],
        "dependencies": [
            {"ref": purl(packages[i]), "dependsOn": [purl(packages[d]) for d in edges[i]]}
            for i in sorted(edges, key=lambda i: purl(packages[i]))
        ],
    }


def checksums() -> dict:
    import tomllib
    lock = tomllib.loads(pathlib.Path("Cargo.lock").read_text())
    return {(p["name"], p["version"]): p.get("checksum") for p in lock["package"]}


def licences(root: str, packages: dict, edges: dict) -> str:
    parts = ["The program contains the following works, under these terms.\n"]
    for package in sorted((packages[i] for i in edges if i != root), key=purl):
        folder = pathlib.Path(package["manifest_path"]).parent
        texts = sorted(
            path for pattern in ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*") for path in folder.glob(pattern)
            if path.is_file()
        )
        parts.append(f"\n==== {package['name']} {package['version']}: {package['license']} ====\n")
        if not texts:
            parts.append("(its package holds no licence file)\n")
        for path in texts:
            parts.append(f"\n-- {path.name}\n{path.read_text(errors='replace').rstrip()}\n")
    parts.append("\n==== Chart.js: MIT ====\n\n" + pathlib.Path("static/vendor/README.md").read_text())
    return "".join(parts)


main()

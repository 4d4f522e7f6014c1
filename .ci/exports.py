"""folder of exports → whether their consumers' own libraries read them. Prints what each says; the exit code is 1 if any refuses."""

import csv
import json
import subprocess
import sys
from pathlib import Path

folder, bins = Path(sys.argv[1]), Path(sys.argv[2])
FAILED = []


def reader(check):
    """Runs one check; whatever it raises is what its reader said."""
    try:
        print(f"{check.__name__}: {check()}")
    except Exception as error:  # noqa: BLE001: a reader may raise what it likes
        FAILED.append(check.__name__)
        print(f"{check.__name__}: REFUSED: {type(error).__name__}: {str(error)[:2000]}")


def expect(fact, what):
    if not fact:
        raise ValueError(what)


@reader
def stix2_validator():
    from stix2validator import ValidationOptions, validate_file
    # 103: ids are UUIDv5 on purpose; 302: links to ATT&CK have no hash.
    result = validate_file(str(folder / "stix.json"), ValidationOptions(version="2.1", disabled="103,302"))
    results = result.object_results if hasattr(result, "object_results") else []
    errors = [str(error) for it in results for error in it.errors or []]
    expect(result.is_valid and not errors, "\n".join(errors[:5]) or str(result))
    objects = json.loads((folder / "stix.json").read_text())["objects"]
    warnings = sorted({str(warning)[:60] for it in results for warning in it.warnings or []})
    return f"{len(objects)} objects valid; {len(warnings)} kinds of warnings {warnings[:3]}"


@reader
def pymisp():
    from pymisp import MISPEvent
    event = MISPEvent(strict_validation=False)
    event.load_file(folder / "misp.json")
    written = json.loads((folder / "misp.json").read_text())["Event"]["Attribute"]
    expect(len(event.attributes) == len(written), f"{len(event.attributes)} of {len(written)} attributes")
    known = event.describe_types
    for it in event.attributes:
        expect(it.type in known["category_type_mappings"][it.category], f"{it.type} in {it.category}")
    again = MISPEvent()
    again.from_json(event.to_json())
    expect(len(again.attributes) == len(written), "does not survive a round trip")
    return f"{len(written)} attributes, {[it.name for it in event.tags if it.name.startswith('tlp:')]}"


@reader
def navigator():
    from mitreattack.navlayers import Layer
    text = (folder / "navigator.json").read_text()
    layer = Layer(json.loads(text), strict=True)
    expect(layer.layer is not None, "no layer")
    techniques = layer.layer.techniques or []
    expect(len(techniques) == len(json.loads(text)["techniques"]), "techniques are lost")
    return f"layer of {len(techniques)} techniques"


@reader
def ocsf():
    from ocsf_emitter import validate
    from ocsf_emitter._models import DetectionFinding as Schema
    from py_ocsf_models.events.findings.detection_finding import DetectionFinding
    count = 0
    for line in (folder / "ocsf.jsonl").open():
        event = json.loads(line)
        DetectionFinding.model_validate(event)
        validate(Schema.model_validate(event))
        count += 1
    return f"{count} detection findings are what two models of class 2004 take"


@reader
def sigma():
    from sigma.collection import SigmaCollection
    text = (folder / "ringleader-sigma.yml").read_text()
    rules = SigmaCollection.from_yaml(text) if "title:" in text else []
    expect(not getattr(rules, "errors", []), str(getattr(rules, "errors", []))[:500])
    # Left out: what fetches MITRE's data, the old TLP's words, one file a rule, and escaped wildcards, which are meant.
    left_out = ("attacktag", "d3_fendtag", "tlpv1_tag", "duplicate_filename", "escaped_wildcard")
    excluded = [it for name in left_out for it in ("-x", name)]
    command = [str(bins / "sigma"), "check", "--fail-on-error", "--fail-on-issues", *excluded, str(folder / "ringleader-sigma.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    expect(done.returncode == 0, (done.stdout + done.stderr)[-1500:])
    said = [it.strip() for it in (done.stdout + done.stderr).splitlines() if "Found" in it or "issues" in it]
    return f"{len(rules)} rules; {' '.join(said)[:200]}"


@reader
def networkx():
    import networkx
    graph = networkx.read_graphml(folder / "gangs.graphml")
    expect(all("kind" in it for _, it in graph.nodes(data=True)), "an edge names a node that is none")
    return f"{graph.number_of_nodes()} nodes, {graph.number_of_edges()} edges"


@reader
def duckdb():
    import duckdb
    base = duckdb.connect()
    parquet = base.sql(f"select count(*), count(distinct gang_id), min(first_seen), max(confidence) from '{folder}/indicators.parquet'").fetchall()[0]
    sheet = base.sql(f"select count(*) from read_csv('{folder}/indicators-shared.csv', all_varchar = true, header = true, quote = '\"', escape = '\"', strict_mode = true)").fetchall()[0]
    expect(parquet[0] == sheet[0], f"{parquet[0]} rows in Parquet, {sheet[0]} in CSV")
    return f"{parquet[0]} rows of {parquet[1]} gangs, in Parquet and CSV"


@reader
def spreadsheets():
    cells = 0
    for name in ("indicators-shared.csv", "blocklist.csv"):
        with (folder / name).open(newline="") as file:
            rows = list(csv.reader(file, strict=True))
        expect(len({len(row) for row in rows}) == 1, f"{name}: rows differ in length")
        for cell in (cell for row in rows for cell in row):
            expect(not cell.startswith(("=", "+", "-", "@", "\t", "\r")), f"{name}: a formula: {cell[:40]}")
            cells += 1
    return f"{cells} cells, none a formula"


@reader
def blocklists():
    import ipaddress
    count = 0
    for line in (folder / "blocklist.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        count += 1
        expect(line.strip() == line and " " not in line and line, f"no value: {line[:60]}")
        try:
            address = ipaddress.ip_address(line)
        except ValueError:
            continue
        # Documentation addresses are what samples are made of.
        documentation = [ipaddress.ip_network(it) for it in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32")]
        expect(address.is_global or any(address in it for it in documentation), f"not public: {line}")
    return f"{count} values"


print(f"{len(FAILED)} of the readers refuse" + (f": {', '.join(FAILED)}" if FAILED else ""))
sys.exit(bool(FAILED))

"""The queries of `peers.rs` in SQLite, DuckDB, and Ladybug, with a comparison of all results.

    python3 -m venv ENV && ENV/bin/pip install duckdb ladybug
    cargo bench -p integration-query-benches --bench peers -- FOLDER
    ENV/bin/python sdk/query/benches/peers.py FOLDER

SQLite reads the store itself, with SQL written by hand on its tables. DuckDB and Ladybug load the CSV files into typed
tables, which is not measured. Times are processor time of all threads in milliseconds: the first run and the mean of the
others.
"""

import json
import pathlib
import shutil
import sqlite3
import sys
import time

import duckdb
import ladybug

FOLDER = pathlib.Path(sys.argv[1])
ANSWERS = json.loads((FOLDER / "answers.json").read_text())
TYPES = ["bench_team", "bench_user", "bench_app", "bench_addon"]
LINKS = {
    "bench_team_has_user": ("bench_team", "bench_user"),
    "bench_team_has_app": ("bench_team", "bench_app"),
    "bench_app_has_addon": ("bench_app", "bench_addon"),
    "bench_user_has_app": ("bench_user", "bench_app"),
}


def key_of_point():
    """The key of the application with the name that our engine found."""
    name = ANSWERS["point"]["rows"][0][0]
    for line in (FOLDER / "bench_app.csv").open():
        key, found, *_ = line.split(",")
        if found == name:
            return key
    raise SystemExit(f"no application {name}")


def sqlite_engine():
    # The tables of the store have no index on keys and ends, so the connection gets one of the newest snapshot.
    file = sqlite3.connect(FOLDER / "store" / "state.sqlite")
    file.executescript(
        """
        CREATE TEMP TABLE edge AS SELECT type, from_key, to_key FROM object
        WHERE kind = 1 AND number NOT IN (SELECT object FROM ended);
        CREATE INDEX temp.edge_from ON edge (from_key, type);
        CREATE TEMP TABLE node AS SELECT number, type, key FROM object
        WHERE kind = 0 AND number NOT IN (SELECT object FROM ended);
        CREATE UNIQUE INDEX temp.node_key ON node (key);
        CREATE INDEX temp.node_type ON node (type);
        ANALYZE temp;
        """
    )
    value = "json_extract({0}.properties, '$.{1}')".format
    hops = f"""
        FROM node tn JOIN object t ON t.number = tn.number JOIN edge tu ON tu.from_key = t.key AND tu.type = 'bench_team_has_user'
        JOIN edge ua ON ua.from_key = tu.to_key AND ua.type = 'bench_user_has_app'
        JOIN node an ON an.key = ua.to_key JOIN object a ON a.number = an.number
        JOIN edge ax ON ax.from_key = an.key AND ax.type = 'bench_app_has_addon'
        JOIN node xn ON xn.key = ax.to_key JOIN object x ON x.number = xn.number
        """
    queries = {
        "point": f"SELECT {value('o', 'name')} FROM node n JOIN object o ON o.number = n.number "
        f"WHERE n.key = '{key_of_point()}'",
        "filter scan": f"SELECT count(*), max({value('o', 'sizeInBytes')}) FROM node n JOIN object o ON o.number = n.number "
        f"WHERE n.type = 'bench_app' AND {value('o', 'region')} = 'eu' AND {value('o', 'sizeInBytes')} > 500000",
        "three hops from one": f"SELECT {value('x', 'name')} {hops} WHERE tn.type = 'bench_team' "
        f"AND {value('t', 'name')} = 'bench_team-7' AND {value('a', 'region')} = 'eu'",
        "three hops from all teams, all paths": f"SELECT {value('t', 'name')}, {value('u', 'name')}, {value('a', 'name')}, "
        f"{value('x', 'name')} {hops} JOIN node un ON un.key = tu.to_key JOIN object u ON u.number = un.number "
        "WHERE tn.type = 'bench_team'",
        "negation": f"SELECT count(*) FROM node u WHERE u.type = 'bench_user' AND NOT EXISTS (SELECT 1 FROM edge e "
        f"JOIN node an ON an.key = e.to_key JOIN object a ON a.number = an.number WHERE e.from_key = u.key "
        f"AND e.type = 'bench_user_has_app' AND {value('a', 'region')} = 'eu')",
    }
    return lambda name: file.execute(queries[name]).fetchall()


def duckdb_engine():
    base = duckdb.connect()
    for name in TYPES:
        base.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_csv('{FOLDER / (name + '.csv')}', header=false, columns="
            "{'key': 'VARCHAR', 'name': 'VARCHAR', 'region': 'VARCHAR', 'size': 'BIGINT'})"
        )
        base.execute(f"CREATE UNIQUE INDEX {name}_key ON {name} (key)")
    for name in LINKS:
        base.execute(
            f"CREATE TABLE {name} AS SELECT * FROM read_csv('{FOLDER / (name + '.csv')}', header=false, "
            "columns={'source': 'VARCHAR', 'target': 'VARCHAR'})"
        )
    hops = """
        FROM bench_team t JOIN bench_team_has_user tu ON tu.source = t.key JOIN bench_user u ON u.key = tu.target
        JOIN bench_user_has_app ua ON ua.source = u.key JOIN bench_app a ON a.key = ua.target
        JOIN bench_app_has_addon ax ON ax.source = a.key JOIN bench_addon x ON x.key = ax.target
        """
    queries = {
        "point": f"SELECT name FROM bench_app WHERE key = '{key_of_point()}'",
        "filter scan": "SELECT count(*), max(size) FROM bench_app WHERE region = 'eu' AND size > 500000",
        "three hops from one": f"SELECT x.name {hops} WHERE t.name = 'bench_team-7' AND a.region = 'eu'",
        "three hops from all teams, all paths": f"SELECT t.name, u.name, a.name, x.name {hops}",
        "negation": "SELECT count(*) FROM bench_user u WHERE NOT EXISTS (SELECT 1 FROM bench_user_has_app ua "
        "JOIN bench_app a ON a.key = ua.target WHERE ua.source = u.key AND a.region = 'eu')",
    }
    return lambda name: base.execute(queries[name]).fetchall()


def ladybug_engine():
    path = FOLDER / "ladybug"
    shutil.rmtree(path, ignore_errors=True)
    path.unlink(missing_ok=True)
    base = ladybug.Connection(ladybug.Database(str(path)))
    for name in TYPES:
        base.execute(f"CREATE NODE TABLE {name}(key STRING PRIMARY KEY, name STRING, region STRING, size INT64)")
        base.execute(f"COPY {name} FROM '{FOLDER / (name + '.csv')}' (header=false, delim=',')")
    for name, (source, target) in LINKS.items():
        base.execute(f"CREATE REL TABLE {name}(FROM {source} TO {target})")
        base.execute(f"COPY {name} FROM '{FOLDER / (name + '.csv')}' (header=false, delim=',')")
    walk = "(t:bench_team)-[:bench_team_has_user]->(u:bench_user)-[:bench_user_has_app]->(a:bench_app)-[:bench_app_has_addon]->(x:bench_addon)"
    queries = {
        "point": f"MATCH (a:bench_app) WHERE a.key = '{key_of_point()}' RETURN a.name",
        "filter scan": "MATCH (a:bench_app) WHERE a.region = 'eu' AND a.size > 500000 RETURN count(*), max(a.size)",
        "three hops from one": f"MATCH {walk} WHERE t.name = 'bench_team-7' AND a.region = 'eu' RETURN x.name",
        "three hops from all teams, all paths": f"MATCH {walk} RETURN t.name, u.name, a.name, x.name",
        "negation": "MATCH (u:bench_user) WHERE NOT EXISTS { MATCH (u)-[:bench_user_has_app]->(a:bench_app) "
        "WHERE a.region = 'eu' } RETURN count(*)",
    }

    def answer(name):
        result, rows = base.execute(queries[name]), []
        while result.has_next():
            rows.append(tuple(result.get_next()))
        return rows

    return answer


def timed(answer, name):
    began = time.process_time()
    rows = answer(name)
    first = (time.process_time() - began) * 1e3
    runs = 20 if first < 100 else 3
    began = time.process_time()
    for _ in range(runs):
        answer(name)
    return rows, first, (time.process_time() - began) * 1e3 / runs


def main():
    engines = {"SQLite": sqlite_engine(), "DuckDB": duckdb_engine(), "Ladybug": ladybug_engine()}
    differences = 0
    print(f"{'query':<38} {'rows':>8} {'engine':>9} {'first':>9} {'warm':>9}  equal")
    for name, ours in ANSWERS.items():
        expected = sorted(map(tuple, ours["rows"]))
        print(f"{name:<38} {len(expected):>8} {'ours':>9} {ours['cold']:>9.2f} {ours['warm']:>9.3f}")
        for engine, answer in engines.items():
            rows, first, warm = timed(answer, name)
            equal = sorted(map(tuple, rows)) == expected
            differences += not equal
            print(
                f"{'':<38} {len(rows):>8} {engine:>9} {first:>9.2f} {warm:>9.3f}  {'yes' if equal else 'NO'}", flush=True
            )
    if differences:
        raise SystemExit(f"{differences} results differ")


main()

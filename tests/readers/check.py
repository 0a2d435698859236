"""Compares the exports of the sample with the exchange layout.

They are read by pyarrow, DuckDB, pandas, SQLite, NetworkX, and LadybugDB.
"""

import datetime
import json
import pathlib
import sys

import duckdb
import ladybug
import networkx
import pandas
import pyarrow
import pyarrow.parquet

place = pathlib.Path(sys.argv[1])


def graph():
    """Returns the objects of the exchange layout by type and key."""
    objects = {}
    for path in place.glob("exchange/graph/*/*/*.json"):
        for elements in json.loads(path.read_text()).values():
            for element in elements:
                objects.setdefault(element["_type"], {})[element["_key"]] = element
    return objects


def check(found, expected, what):
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def is_time(name):
    return name.endswith("On")


def tables(form):
    manifest = json.loads((place / form / "_manifest.json").read_text())
    check({table["type"]: table["rows"] for table in manifest["tables"]},
          {name: len(objects) for name, objects in expected.items()}, f"rows of {form}")
    return manifest["tables"]


def plain(value):
    """Returns a value as JSON has it, with times in milliseconds."""
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    if isinstance(value, list):
        return [plain(element) for element in value]
    return value


def check_rows(rows, object_type, what):
    """Compares rows with typed values."""
    for row in rows:
        original = expected[object_type][row["_key"]]
        for name, value in original.items():
            if name == "_rawData":
                check(json.loads(row[name]), value, f"{what}: raw data of {row['_key']}")
            else:
                check(plain(row[name]), value, f"{what}: {name} of {row['_key']}")
        for name, value in row.items():
            own = name in ("_integration", "_instance", "_stale", "_firstSeenOn", "_changedOn")
            assert own or name in original or value is None, f"{what}: {name} of {row['_key']} is {value!r}"


def check_parquet():
    arrow = {"boolean": pyarrow.bool_(), "integer": pyarrow.int64(), "double": pyarrow.float64(),
             "text": pyarrow.string(), "timestamp": pyarrow.timestamp("ms", tz="UTC")}
    lists = times = 0
    for table in tables("parquet"):
        path = place / "parquet" / table["file"]
        read = pyarrow.parquet.read_table(path)
        for column in table["columns"]:
            element = arrow[column["type"].removesuffix("[]")]
            found = read.schema.field(column["name"]).type
            if column["type"].endswith("[]"):
                lists += 1
                check(found.value_type, element, f"pyarrow: {path.name} {column['name']}")
            else:
                check(found, element, f"pyarrow: {path.name} {column['name']}")
            times += column["type"] == "timestamp"
        check_rows(read.to_pylist(), table["type"], "pyarrow")
        check(len(pandas.read_parquet(path)), table["rows"], f"pandas: {path.name}")
        rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}')")
        names = rows.columns
        check_rows([dict(zip(names, row)) for row in rows.fetchall()], table["type"], "DuckDB, Parquet")
    assert lists > 0 and times > 0, "the sample has lists and times"
    count = duckdb.sql(f"""
        SELECT count(*) FROM read_parquet('{place}/parquet/entities/heroku_team.parquet') team
        JOIN read_parquet('{place}/parquet/relationships/heroku_team_owns_application.parquet') owns
          ON team._key = owns._fromEntityKey""").fetchall()[0][0]
    check(count, len(expected["heroku_team_owns_application"]), "DuckDB: a join along a relationship")


def check_csv():
    for table in tables("csv"):
        path = place / "csv" / table["file"]
        times = [column["name"] for column in table["columns"] if column["type"] == "timestamp"]
        frame = pandas.read_csv(path, parse_dates=times)
        check(list(frame.columns), [column["name"] for column in table["columns"]], f"pandas: {path.name}")
        check(len(frame), table["rows"], f"pandas: rows of {path.name}")
        for name in times:
            if frame[name].notna().any():
                assert isinstance(frame[name].dtype, pandas.DatetimeTZDtype), f"pandas: {path.name} {name}"
        for row in frame.to_dict("records"):
            original = expected[table["type"]][row["_key"]]
            for name in times:
                if name in original and original[name] is not None:
                    check(round(row[name].timestamp() * 1000), original[name], f"pandas: {name} of {row['_key']}")
            for name, value in original.items():
                if isinstance(value, list) and name != "_rawData":
                    check(json.loads(row[name]), value, f"pandas: {name} of {row['_key']}")
        count = duckdb.sql(f"SELECT count(*) FROM read_csv('{path}')").fetchall()[0][0]
        check(count, table["rows"], f"DuckDB: rows of {path.name}")


def check_ndjson():
    for table in tables("ndjson"):
        path = place / "ndjson" / table["file"]
        for line in path.read_text().splitlines():
            row = json.loads(line)
            original = expected[table["type"]][row["_key"]]
            check({name: row[name] for name in original}, original, f"NDJSON: {row['_key']}")
        count = duckdb.sql(f"SELECT count(*) FROM read_json('{path}', maximum_object_size=33554432)").fetchall()[0][0]
        check(count, table["rows"], f"DuckDB: {path.name}")


def check_sqlite():
    import sqlite3

    database = sqlite3.connect(place / "graph.db")
    types = dict()
    for table, column, value_type in database.execute('SELECT "table", "column", value_type FROM _columns'):
        types.setdefault(table, {})[column] = value_type
    check(set(types), set(expected), "SQLite: the tables")
    for table, columns in types.items():
        frame = pandas.read_sql(f'SELECT * FROM "{table}"', database)
        check(len(frame), len(expected[table]), f"SQLite: rows of {table}")
        rows = database.execute(f'SELECT * FROM "{table}"')
        names = [column[0] for column in rows.description]
        for row in rows:
            row = dict(zip(names, row))
            for name, value in row.items():
                if value is not None and (columns[name].endswith("[]")):
                    row[name] = json.loads(value)
                elif value is not None and columns[name] == "boolean":
                    row[name] = bool(value)
            check_rows([row], table, "SQLite")


def check_graphs():
    entities = {key: entity for objects in expected.values() for key, entity in objects.items()
                if "_fromEntityKey" not in entity}
    edges = {key: edge for objects in expected.values() for key, edge in objects.items() if "_fromEntityKey" in edge}
    read = networkx.read_graphml(place / "graph.graphml", force_multigraph=True)
    check((read.number_of_nodes(), read.number_of_edges()), (len(entities), len(edges)), "NetworkX: GraphML")
    assert read.is_directed()
    for _, attributes in read.nodes(data=True):
        original = entities[attributes["_key"]]
        for name, value in original.items():
            if isinstance(value, (bool, int, float, str)) and name != "label":
                # GraphML has one attribute for all types. It is a list if the property of any type is one.
                if attributes[name] == json.dumps([value]):
                    continue
                check(attributes[name], value, f"GraphML: {name} of {original['_key']}")
                check(type(attributes[name]), type(value), f"GraphML: the type of {name}")
        check(attributes["label"], original["displayName"], f"GraphML: the label of {original['_key']}")
    document = json.loads((place / "graph.json").read_text())
    read = networkx.node_link_graph(document, edges="links")
    check((read.number_of_nodes(), read.number_of_edges()), (len(entities), len(edges)), "NetworkX: JSON graph")
    for _, attributes in read.nodes(data=True):
        original = dict(entities[attributes["properties"]["_key"]])
        original.pop("_rawData", None)
        check(attributes["properties"], original, f"JSON graph: {original['_key']}")
    check_paths()


def check_neo4j_csv():
    """Loads the files of an import into Neo4j into an embedded graph database."""
    types = {"long": "INT64", "double": "DOUBLE", "boolean": "BOOLEAN", "string": "STRING"}
    connection = ladybug.Connection(ladybug.Database(str(place / "ladybug")))
    connection.execute("CREATE NODE TABLE node(id STRING PRIMARY KEY)")
    options = "(header=true, delim=',', escape='\"', parallel=false)"
    found = nodes = 0
    for table in sorted(tables("neo4j-csv"), key=lambda table: table["file"]):
        path = place / "neo4j-csv" / table["file"]
        is_node = table["file"].startswith("entities/")
        name = f"t{found}"
        header = path.read_text().splitlines()[0].split(",")[2 if is_node else 3:]
        columns = [column.rpartition(":") for column in header]
        typed = "".join(f", c{at} {types.get(kind, 'STRING')}" for at, (_, _, kind) in enumerate(columns))
        if is_node:
            connection.execute(f"CREATE NODE TABLE {name}(id STRING PRIMARY KEY, labels STRING{typed})")
            connection.execute(f"COPY {name} FROM '{path}' {options}")
            connection.execute(f"COPY node FROM (MATCH (n:{name}) RETURN n.id)")
            nodes += table["rows"]
        else:
            connection.execute(f"CREATE REL TABLE {name}(FROM node TO node, class STRING{typed})")
            connection.execute(f"COPY {name} FROM '{path}' {options}")
        values = ", ".join(f"x.c{at}" for at in range(len(columns)))
        pattern = f"(x:{name})" if is_node else f"(:node)-[x:{name}]->(:node)"
        rows = connection.execute(f"MATCH {pattern} RETURN {'x.labels' if is_node else 'x.class'}, {values}")
        count = 0
        while rows.has_next():
            label, *row = rows.get_next()
            row = {name: value for (name, _, _), value in zip(columns, row)}
            original = expected[table["type"]][row["_key"]]
            classes = original["_class"]
            if is_node:
                check(label.split("\x1f"), ["_Entity", original["_type"], *classes], f"Neo4j CSV: labels of {row['_key']}")
            else:
                check(label, classes, f"Neo4j CSV: the type of {row['_key']}")
            for name, value in original.items():
                if isinstance(value, list):
                    value = "\x1f".join(str(element) for element in value) if name != "_rawData" else None
                if name != "_rawData" and not isinstance(value, float):
                    check(row[name], value, f"Neo4j CSV: {name} of {row['_key']}")
            count += 1
        check(count, table["rows"], f"Neo4j CSV: rows of {table['file']}")
        found += 1
    check(connection.execute("MATCH (n:node) RETURN count(*)").get_next()[0], nodes, "Neo4j CSV: the nodes")


def check_paths():
    """Answers who can reach an application, along the edges that the extension schema makes traversable."""
    extension = json.loads((place / "open.extension.json").read_text())
    traversable = {kind["name"] for kind in extension["relationship_kinds"] if kind["is_traversable"]}
    document = json.loads((place / "open.json").read_text())["graph"]
    access = networkx.DiGraph()
    access.add_nodes_from((node["id"], {"kinds": node["kinds"]}) for node in document["nodes"])
    access.add_edges_from((edge["start"]["value"], edge["end"]["value"]) for edge in document["edges"]
                          if edge["kind"] in traversable)
    check(access.number_of_nodes(), len(document["nodes"]), "OpenGraph: every end is a node")
    people = {node for node, kinds in access.nodes(data="kinds") if "Heroku_Class_User" in kinds}
    applications = [node for node, kinds in access.nodes(data="kinds") if "Heroku_Application" in kinds]
    reached = [app for app in applications if networkx.ancestors(access, app) & people]
    assert reached, "OpenGraph: no person reaches an application"
    direct = {edge["end"]["value"] for edge in document["edges"] if edge["kind"] == "Heroku_ASSIGNED"}
    assert direct & set(applications) <= set(reached), "OpenGraph: a permission is no path"


expected = graph()
check_parquet()
check_csv()
check_ndjson()
check_sqlite()
check_neo4j_csv()
check_graphs()
print(f"read {sum(map(len, expected.values()))} objects of {len(expected)} types")

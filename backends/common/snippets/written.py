def written(rows: list[dict[str, str]], name: str) -> list[str]:
    """A column of a table, as it is written; ValueError if there is none."""
    if rows and name not in rows[0]:
        raise ValueError(f"{name}: the table has no such column, only {', '.join(rows[0])}")
    return [row[name] for row in rows]

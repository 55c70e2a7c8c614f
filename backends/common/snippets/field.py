def field(rows: list[dict[str, str]], name: str) -> np.ndarray:
    """A column of a table as numbers; ValueError if it is none."""
    if rows and name not in rows[0]:
        known = ", ".join(rows[0])
        raise ValueError(f"{name}: the table has no such column, only {known}")
    try:
        return np.array([float(row[name]) for row in rows])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: {error}") from None

def named(names: list[str], name: str) -> list[int]:
    """The field under a name of the first line; ValueError if there is none."""
    if name not in names:
        known = ", ".join(names)
        raise ValueError(f"{name}: the table has no such column, only {known}")
    return [names.index(name)]

def in_groups(parameters: Iterable[nn.Parameter], *groups: dict[str, Any]) -> list[dict[str, Any]]:
    """Groups for an optimizer, of modules and parameters; the first one has what is in no other."""
    for group in groups:
        parts = [p.parameters() if isinstance(p, nn.Module) else [p] for p in group["params"]]
        group["params"] = [parameter for part in parts for parameter in part]
    grouped = {id(p) for group in groups for p in group["params"]}
    return [{"params": [p for p in parameters if id(p) not in grouped]}, *groups]

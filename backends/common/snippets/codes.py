def codes(texts: np.ndarray, length: int) -> np.ndarray:
    """The characters of texts as numbers: as many as fit, and then 0."""
    rows = np.zeros((len(texts), length), np.int64)
    for row, text in zip(rows, texts.tolist(), strict=True):
        row[: len(text)] = [ord(character) for character in text[:length]]
    return rows
